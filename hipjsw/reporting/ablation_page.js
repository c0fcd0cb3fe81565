"use strict";
(() => {
  const starts = (pager) => {
    const hips = Array.from(pager.querySelectorAll("figure.hip"));
    const controls = pager.querySelector(".controls");
    const [arm, seed] = ["arm", "seed"].map((name) => pager.querySelector(`select[data-pick=${name}]`));
    const place = pager.querySelector(".place");
    const buttons = Array.from(pager.querySelectorAll("button[data-step]"));
    let at = 0;

    const mine = () => hips.filter((hip) => hip.dataset.arm === arm.value && hip.dataset.seed === seed.value);
    const show = () => {
      const some = mine();
      at = Math.min(Math.max(at, 0), some.length - 1);
      for (const hip of hips) hip.hidden = hip !== some[at];
      place.textContent = `${at + 1} of ${some.length}`;
      buttons.forEach((button) => { button.disabled = some[at + Number(button.dataset.step)] === undefined; });
    };
    const seeds = () => {
      const wanted = seed.value;
      const known = new Set(hips.filter((hip) => hip.dataset.arm === arm.value).map((hip) => hip.dataset.seed));
      seed.replaceChildren(...Array.from(known, (name) => new Option(name, name)));
      seed.value = known.has(wanted) ? wanted : seed.options[0].value;
    };
    const step = (by) => { at += by; show(); };

    arm.addEventListener("change", () => { seeds(); at = 0; show(); });
    seed.addEventListener("change", () => { at = 0; show(); });
    buttons.forEach((button) => button.addEventListener("click", () => step(Number(button.dataset.step))));
    pager.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!by || event.target instanceof HTMLSelectElement || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      step(by);
    });
    seeds();
    show();
    controls.hidden = false;
    return (hip) => {
      arm.value = hip.dataset.arm;
      seeds();
      seed.value = hip.dataset.seed;
      at = mine().indexOf(hip);
      show();
    };
  };

  const shows = new Map();
  for (const pager of document.querySelectorAll(".pager")) shows.set(pager, starts(pager));

  const follow = () => {
    const hip = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const pager = hip && hip.closest(".pager");
    if (pager && hip.matches("figure.hip")) {
      shows.get(pager)(hip);
      pager.scrollIntoView();
    }
  };
  window.addEventListener("hashchange", follow);
  follow();
})();
