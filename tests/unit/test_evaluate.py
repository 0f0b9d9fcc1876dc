"""Scoring and the means of an epoch, on figures that float32 cannot add up."""

import math
import pickle
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from foldproof.errors import TrainingError
from foldproof.events.types import DIVERGED
from foldproof.training import forward
from foldproof.training.forward import compiled
from foldproof.training.loop import Scores, check_finite, evaluate, mean_loss, steps
from foldproof.training.stopwatch import STILL


class Given:
    """Batches of given logits. Remembers what it was asked."""

    def __init__(self, logits: torch.Tensor) -> None:
        self.logits, self.expected, self.asked = logits, [], []

    def at(self, positions, *, augmented_by=None):
        assert augmented_by is None
        self.asked.append(positions.tolist())
        return self.logits[torch.from_numpy(positions)]

    def expect(self, parts):
        self.expected = [part.tolist() for part in parts]


def scored(logits, labels, *, positions=None, batch=2):
    """What `evaluate` says of a network that does nothing."""
    logits = torch.tensor(logits, dtype=torch.float32)
    places = np.arange(len(labels)) if positions is None else np.array(positions, dtype=np.int64)
    train = SimpleNamespace(validation_batch_size=batch)
    net = torch.nn.Identity()
    fold = SimpleNamespace(
        task=SimpleNamespace(validation_positions=places, train=train),
        net=net,
        forward=net,
        labels=torch.tensor(labels),
        device=torch.device("cpu"),
        dataset=SimpleNamespace(classes=("a", "b", "c")),
    )
    batches = Given(logits)
    steps = evaluate(fold, batches)
    stops = 0
    while True:
        try:
            next(steps)
            stops += 1
        except StopIteration as end:
            return end.value, batches, stops, net


def test_a_loss_is_the_mean_of_the_losses_of_images_in_double_precision():
    """In float32 the thousand small losses beside a large one would be lost."""
    logits = [[0.0, 2.0**24, 0.0], *[[0.0, -9.0, -9.0]] * 1000]
    found, *_ = scored(logits, [0] * 1001, batch=100)
    small = math.log(1 + 2 * math.exp(-9.0))
    assert found.loss * 1001 - 2.0**24 == pytest.approx(1000 * small, rel=1e-3)
    assert found.accuracy == 1000 / 1001


def test_images_are_scored_in_parts_in_their_order_and_a_fold_may_be_stopped_after_each():
    logits = [[3.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 3.0], [3.0, 0.0, 0.0], [1.0, 1.0, 0.0]]
    found, batches, stops, net = scored(logits, [0, 1, 1, 0, 1], positions=[0, 2, 4])
    assert batches.asked == batches.expected == [[0, 2], [4]]
    assert stops == 2
    assert not net.training
    assert found.accuracy == 1 / 3  # the first of two equal classes is meant
    expected = np.exp(logits)[[0, 2, 4]] / np.exp(logits)[[0, 2, 4]].sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.probabilities, expected, rtol=1e-6)
    assert found.probabilities.dtype == np.float32


def test_without_images_there_is_no_score_but_a_table_of_none():
    found, batches, stops, _ = scored(np.zeros((0, 3)), [])
    assert math.isnan(found.loss)
    assert math.isnan(found.accuracy)
    assert found.probabilities.shape == Scores.none(3).probabilities.shape == (0, 3)
    assert (stops, batches.asked) == (0, [])


def test_a_training_loss_is_a_mean_over_images_not_over_steps_and_is_summed_exactly():
    assert mean_loss(np.array([1.0, 2.0, 4.0], dtype=np.float32), 12, 5) == (5 + 10 + 8) / 12
    assert mean_loss(np.array([1.0, 2.0], dtype=np.float32), 11, 5) == (5 + 12) / 11  # the last of six images
    thin = np.array([1e16, 1.0, -1e16], dtype=np.float64)
    assert mean_loss(thin, 6, 2) == pytest.approx(2 / 6)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_no_number_is_said_with_its_step(bad):
    check_finite(np.array([1.0, 2.0], dtype=np.float32), 3)
    with pytest.raises(TrainingError) as raised:
        check_finite(np.array([1.0, bad, bad], dtype=np.float32), 3)
    assert raised.value.what == f"the loss is {bad} in step 2 of epoch 3"
    assert raised.value.code == DIVERGED
    assert pickle.loads(pickle.dumps(raised.value)).code == DIVERGED


def test_a_compiled_network_has_a_graph_for_each_shape_and_dropout_from_the_seeded_generator(monkeypatch):
    asked = {}
    monkeypatch.setattr(torch.compiler, "reset", lambda: asked.update(reset=True))
    monkeypatch.setattr(torch, "compile", lambda net, **named: asked.update(named) or net)
    from torch._dynamo import config as tracing
    from torch._inductor import config as generating

    with tracing.patch(), generating.patch():
        net = torch.nn.Identity()
        assert compiled(net) is net
        assert asked == {"reset": True, "dynamic": False}
        assert tracing.recompile_limit == 64
        assert tracing.fail_on_recompile_limit_hit
        assert generating.fallback_random
    assert forward.compiled is compiled


@pytest.mark.parametrize("done", [0, 1, 2])
def test_an_epoch_says_ahead_which_images_it_will_ask_for_and_asks_for_them_in_that_order(done):
    positions = np.array([8, 1, 6, 3, 4, 5, 2], dtype=np.int64)
    said: list[list[int]] = []

    class Batches:
        def at(self, positions, *, augmented_by=None):
            assert augmented_by == 5
            said.append(positions.tolist())
            return positions

        def expect(self, parts):
            self.expected = [part.tolist() for part in parts]

    batches = Batches()
    fold = SimpleNamespace(
        task=SimpleNamespace(train_positions=positions, train=SimpleNamespace(batch_size=2)),
        dataset=SimpleNamespace(keys=np.arange(9, dtype=np.uint64)),
        key=lambda *about: {"order": 3, "augment": 5}.get(about[0], about[1]),
        net=torch.nn.Identity().eval(),
        batches=batches,
        labels=torch.arange(9),
        device=torch.device("cpu"),
    )
    losses = [torch.tensor(0.0)] * done
    course = SimpleNamespace(fold=fold, epoch=1, losses=losses, correct=0, watch=STILL, steps=7)
    course.step = lambda inputs, labels, _: (torch.tensor(float(len(inputs))), int(labels.sum()))
    assert list(steps(course)) == [None] * (3 - done)
    assert fold.net.training
    assert said == batches.expected
    assert [len(part) for part in said] == [2, 2, 3][done:]
    if not done:
        assert sorted(place for part in said for place in part) == sorted(positions)
        assert course.correct == positions.sum()
    assert [loss.item() for loss in course.losses[done:]] == [2.0, 2.0, 3.0][done:]
