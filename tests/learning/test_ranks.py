"""Ranks: who is which, what each takes of a batch, and a whole batch's gradient from shares of it."""

import itertools
import multiprocessing
import socket

import pytest
import torch

from hipjsw.learning.activation import Softmax
from hipjsw.learning.data import StreamSampler
from hipjsw.learning.loss import CrossEntropy, SoftDice, WeightedSum
from hipjsw.learning.ranks import RANK_VARIABLE, Share, alone, num_ranks, own_rank, rank_environment, whole_batch

LOSS = WeightedSum({"ce": CrossEntropy(), "dice": SoftDice(over="batch")}, {"ce": 1.0, "dice": 1.0})


@pytest.fixture(autouse=True)
def outside_slurm(monkeypatch):
    for name in ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID", RANK_VARIABLE):
        monkeypatch.delenv(name, raising=False)


def test_a_process_is_rank_0_unless_told_otherwise(monkeypatch):
    assert own_rank() == 0
    monkeypatch.setenv(RANK_VARIABLE, "2")
    assert own_rank() == 2
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "4")
    monkeypatch.setenv("SLURM_PROCID", "3")
    assert own_rank() == 3


@pytest.mark.parametrize(("options", "number"), [({}, 1), ({"devices": "2"}, 2), ({"devices": 2, "num_nodes": 3}, 6)])
def test_ranks_are_devices_times_nodes(options, number):
    assert num_ranks(options) == number


@pytest.mark.parametrize("devices", ["auto", -1, 0, [0, 1], 1.5])
def test_devices_are_a_number(devices):
    with pytest.raises(ValueError, match=r"trainer\.options\.devices is a whole number of at least 1"):
        num_ranks({"devices": devices})


def test_what_is_done_alone_is_done_on_one_device():
    options = {"accelerator": "cpu", "devices": 4, "num_nodes": 2, "strategy": "ddp"}
    assert alone(options) == {"accelerator": "cpu", "devices": 1}


def test_slurm_says_the_rank_only_where_it_started_them(monkeypatch):
    assert type(rank_environment({"devices": 2})).__name__ == "LightningEnvironment"
    for name in ("SLURM_STEP_NUM_TASKS", "SLURM_NTASKS", "SLURM_NTASKS_PER_NODE"):
        monkeypatch.setenv(name, "2")
    environment = rank_environment({"devices": 2})
    assert type(environment).__name__ == "SLURMEnvironment"
    assert not environment.auto_requeue  # the launcher does it
    assert type(rank_environment({"devices": 1})).__name__ == "LightningEnvironment"


@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_the_ranks_shares_in_their_order_are_the_stream(count):
    def epoch(share):
        sampler = StreamSampler(num_hips=5, per_epoch=24, seed=3, share=share)
        sampler.set_epoch(2)
        assert len(list(sampler)) == len(sampler)
        return list(sampler)

    shares = [epoch(Share(rank, count, 6)) for rank in range(count)]
    size = 6 // count
    dealt = [draw for n in range(4) for share in shares for draw in share[n * size : (n + 1) * size]]
    assert dealt == epoch(None)


def test_a_batch_without_equal_shares_is_refused():
    with pytest.raises(
        ValueError, match=r"batch_size=5 hips cannot be shared equally by 2 ranks; name a multiple of 2"
    ):
        Share(0, 2, 5)


@pytest.mark.parametrize(("hips", "count"), [(10, 2), (9, 3), (4, 2), (5, 2)])
def test_every_validation_hip_is_seen_by_one_rank_in_whole_batches(hips, count):
    seen = [Share(rank, count, 2 * count).whole_batches(hips) for rank in range(count)]
    begins = range(0, hips, 2 * count)
    if len(begins) < count:
        assert seen == [list(range(hips))] * count  # none is without, and means are the same
    else:
        assert sorted(itertools.chain(*seen)) == list(range(hips))
        assert all(seen)


def test_alone_a_batch_is_whole():
    share = torch.rand(3, 2)
    assert whole_batch(share) is share


def judged(seed=0):
    """Images, targets and weights of four hips; how many pixels count differs from hip to hip."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(4, 1, 6, 6, generator=generator, dtype=torch.float64)
    target = torch.rand(4, 4, 6, 6, generator=generator, dtype=torch.float64)
    weight = (
        torch.rand(4, 6, 6, generator=generator, dtype=torch.float64) > torch.tensor([0, 0.2, 0.6, 0.9])[:, None, None]
    )
    return images, target / target.sum(1, keepdim=True), weight.double()


def a_net():
    torch.manual_seed(1)
    return torch.nn.Conv2d(1, 4, 3, padding=1).double()


def train_one_step(rank, port, results):
    """What a rank does: its share of the batch through DDP, the loss of the whole."""
    torch.set_num_threads(1)
    place = f"tcp://127.0.0.1:{port}"
    torch.distributed.init_process_group("gloo", init_method=place, rank=rank, world_size=2)
    net = torch.nn.parallel.DistributedDataParallel(a_net())
    images, target, weight = (part[2 * rank : 2 * rank + 2] for part in judged())
    loss = LOSS(Softmax(), *map(whole_batch, (net(images), target, weight)))
    loss.backward()
    results.put((rank, float(loss.detach()), net.module.weight.grad.tolist()))
    # DDP before the group, as in a run: were DDP the last to hold the group, it would wait for the group's threads
    # while it has the interpreter's lock, for which they may be waiting.
    del net, loss
    torch.distributed.destroy_process_group()


def test_a_loss_that_is_no_mean_over_hips_has_the_whole_batchs_gradient():
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    processes = [context.Process(target=train_one_step, args=(rank, port, results)) for rank in (0, 1)]
    for process in processes:
        process.start()
    found = [results.get(timeout=120) for _ in processes]
    for process in processes:
        process.join(timeout=60)
    images, target, weight = judged()
    net = a_net()
    whole = LOSS(Softmax(), net(images), target, weight)
    whole.backward()
    halves = [LOSS(Softmax(), net(images)[k : k + 2], target[k : k + 2], weight[k : k + 2]) for k in (0, 2)]
    assert (
        abs(sum(half.item() for half in halves) / 2 - whole.item()) > 1e-3
    )  # the mean of the shares' losses would be another loss
    for _, loss, grad in found:
        assert loss == pytest.approx(whole.item(), rel=1e-12)
        torch.testing.assert_close(torch.tensor(grad, dtype=torch.float64), net.weight.grad, rtol=1e-12, atol=1e-14)
