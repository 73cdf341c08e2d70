"""Tests of learning from a teacher: the loss, what the teacher sees, and which teachers fit."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from support.random_networks import random_network
from torch.nn import functional

from bnas_deploy.errors import CheckpointError, UsageError
from bnas_deploy.format import Preprocessing
from bnas_deploy.nn.network import build_network
from bnas_deploy.training.arithmetic import survey
from bnas_deploy.training.data.augment import normalise
from bnas_deploy.training.machine.device import Runtime
from bnas_deploy.training.model.teacher import load_teacher
from bnas_deploy.training.model.trained_model import TrainedModel, load_model, save_model
from bnas_deploy.training.record.run_record import RunRecord, RunRecordOptions
from bnas_deploy.training.run.checkpoint import load_checkpoint, save_checkpoint
from bnas_deploy.training.steps.distillation import divergence

CLASSES = ("blue", "green", "red")
PREPROCESSING = Preprocessing(8, (8, 8), (0.4, 0.5, 0.6), (0.2, 0.25, 0.3))
"""Not the student's."""


class Quiet:
    def __init__(self, stop_after=None):
        self.stop_after = stop_after

    def step(self, trainer, loss, accuracy):
        pass

    def epoch(self, trainer, row):
        trainer.stop = row["epoch"] == self.stop_after


def written(path, *, labels=CLASSES, seed=1, preprocessing=PREPROCESSING, **changes):
    """Write a float teacher of another width than the student's."""
    config = replace(random_network(0).config, channels=6, image_size=8, **changes)
    torch.manual_seed(seed)
    network = build_network(replace(config, classes=len(labels)), binary=False)
    network.train()(torch.randn(64, 3, *preprocessing.crop))
    with torch.no_grad():
        network.classifier.weight.mul_(20)
    save_model(path, TrainedModel(network.eval(), preprocessing, labels, {"test_accuracy": 0.75}))
    return path


@pytest.fixture
def teacher(tmp_path):
    return load_teacher(written(tmp_path / "teacher.pt"))


def answers(network, images, preprocessing):
    with torch.no_grad():
        return network(normalise(images, preprocessing.mean, preprocessing.std))


def test_divergence_is_that_of_the_softened_answers():
    g = torch.Generator().manual_seed(0)
    student, teacher = torch.randn(5, 4, generator=g), torch.randn(5, 4, generator=g)
    p, q = ((x / 3).softmax(1) for x in (teacher, student))
    torch.testing.assert_close(divergence(student, teacher, 3.0), (p * (p / q).log()).sum(1))
    assert divergence(teacher, teacher, 3.0).abs().max() < 1e-6


@pytest.mark.parametrize("counts", [(1.0, 1.0, 1.0), (0.5, 1.0, 2.0)])
def test_loss_and_gradients_of_a_mixed_step(make_trainer, teacher, counts):
    trainer = make_trainer(
        teacher=teacher, binary=False, drop_path=0.0, distill=0.7, distill_temperature=2.0,
        balance="weights",
    )  # fmt: skip
    counts = torch.tensor(counts)
    trainer.computation._weights.copy_(counts)
    trainer.network.train()
    batch = trainer.batches.trial((4,))
    ((images, labels, _),) = batch
    assert images.shape[1:3] == (4, 4)
    sums = trainer.computation.gradients(batch, label_smoothing=0.0, stop=False, mix=0.75)
    got = [p.grad.clone() for p in trainer.network.parameters() if p.grad is not None]

    def inputs(own):
        x = normalise(images, own.mean, own.std)
        return 0.75 * x + 0.25 * x.flip(0)

    trainer.network.zero_grad()
    logits = trainer.network(inputs(trainer.preprocessing))
    with torch.no_grad():
        target = (teacher.network(inputs(PREPROCESSING)) / 2).softmax(1)
    loss = torch.zeros(())
    distance = functional.kl_div((logits / 2).log_softmax(1), target, reduction="none").sum(1)
    for share, y in ((0.75, labels), (0.25, labels.flip(0))):
        each = 0.3 * functional.cross_entropy(logits, y, reduction="none") + 0.7 * 4 * distance
        loss = loss + share * (each * counts[y]).mean()
    loss.backward()
    assert sums.loss == pytest.approx(loss.item(), rel=1e-5)
    used = [p.grad for p in trainer.network.parameters() if p.grad is not None]
    for ours, theirs in zip(got, used, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-5)


def test_a_student_comes_to_answer_as_its_teacher(make_trainer, teacher, data):
    images = torch.from_numpy(data.train.images)
    target = answers(teacher.network, images, PREPROCESSING)
    trainer = make_trainer(
        teacher=teacher, binary=False, distill=1.0, distill_temperature=2.0, epochs=30, lr=0.02,
        drop_path=0.0, crop_padding=0, flip=False, schedule="cosine", optimizer="adam",
    )  # fmt: skip

    def distance():
        student = trainer.network.eval()
        return float(
            divergence(answers(student, images, trainer.preprocessing), target, 2.0).mean()
        )

    before = distance()
    assert trainer.run(Quiet())
    assert distance() < before / 4
    # The labels had no share of the loss.
    student = answers(trainer.network, images, trainer.preprocessing).argmax(1)
    assert (student == target.argmax(1)).float().mean() > 0.8


def test_the_teacher_stays_as_it_is(make_trainer, teacher):
    before = {name: value.clone() for name, value in teacher.network.state_dict().items()}
    trainer = make_trainer(teacher=teacher, distill=0.5)
    assert trainer.run(Quiet())
    assert not teacher.network.training
    for name, value in teacher.network.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_its_convolutions_are_tried_like_the_students(make_trainer, teacher, monkeypatch):
    tried = set()
    right = survey.is_right

    def note(part, call, way, reference):
        tried.add((part, tuple(call.weight.shape)))
        return right(part, call, way, reference)

    monkeypatch.setattr(survey, "is_right", note)
    make_trainer(teacher=teacher, distill=0.5).check_arithmetic()
    stem = tuple(teacher.network.stem.conv.weight.shape)
    assert ("outputs", stem) in tried
    assert ("weight gradients", stem) not in tried


def test_a_resumed_run_ends_with_the_same_weights(make_trainer, teacher, data, tmp_path):
    straight, first = (make_trainer(teacher=teacher, distill=0.8, mixup=0.2) for _ in range(2))
    torch.manual_seed(7)
    assert straight.run(Quiet())
    torch.manual_seed(7)
    assert not first.run(Quiet(stop_after=1))
    save_checkpoint(tmp_path / "c.pt", first)
    torch.manual_seed(99)
    resumed = load_checkpoint(tmp_path / "c.pt", lambda config: data, Runtime())
    assert resumed.run(Quiet())
    for name, value in straight.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[name]), name


@pytest.fixture
def checkpoint(make_trainer, teacher, tmp_path):
    save_checkpoint(tmp_path / "c.pt", make_trainer(teacher=teacher, distill=0.8))
    return tmp_path / "c.pt"


def resume(checkpoint, data, **options):
    return load_checkpoint(checkpoint, lambda config: data, Runtime(), **options)


def test_a_missing_teacher(checkpoint, data, tmp_path):
    (tmp_path / "teacher.pt").rename(tmp_path / "moved.pt")
    with pytest.raises(CheckpointError, match=r"teacher\.pt, is not there; say where"):
        resume(checkpoint, data)
    trainer = resume(checkpoint, data, teacher=tmp_path / "moved.pt")
    assert trainer.teacher.account()["file"] == "moved.pt"


def test_another_teacher_in_its_place(checkpoint, data, tmp_path):
    written(tmp_path / "teacher.pt", seed=2)
    with pytest.raises(CheckpointError, match="another file than the run's teacher"):
        resume(checkpoint, data)


def test_a_run_without_a_teacher_does_not_get_one(make_trainer, data, tmp_path):
    save_checkpoint(tmp_path / "c.pt", make_trainer())
    with pytest.raises(UsageError, match="has no teacher; leave out --teacher"):
        resume(tmp_path / "c.pt", data, teacher=written(tmp_path / "teacher.pt"))


@pytest.mark.parametrize("origin", [7, {}, {"path": "t.pt"}, {"path": 1, "sha256": ""}])
def test_a_damaged_account_of_the_teacher(checkpoint, data, origin):
    torch.save({**torch.load(checkpoint), "teacher": origin}, checkpoint)
    with pytest.raises(CheckpointError, match="teacher must say path and sha256"):
        resume(checkpoint, data)


def test_the_product_says_which_teacher_it_was(make_trainer, teacher, tmp_path):
    trainer = make_trainer(teacher=teacher, distill=0.8)
    RunRecord(trainer, tmp_path, RunRecordOptions()).save_model_file()
    said = load_model(tmp_path / "model.pt").training["teacher"]
    assert said["file"] == "teacher.pt"
    assert said["test_accuracy"] == 0.75
    assert said["sha256"] == teacher.sha256
    assert str(tmp_path) not in str(said)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": ("blue", "green", "yellow")}, "does not know red; the data lacks yellow"),
        ({"labels": ("blue", "green")}, "does not know red"),
        ({"labels": ("red", "green", "blue")}, "in the order of the data"),
        (
            {"preprocessing": Preprocessing(16, (16, 16), (0.5,) * 3, (0.25,) * 3)},
            "takes images of 16x16 pixels; here they have 8x8",
        ),
    ],
)
def test_teachers_that_do_not_fit(make_trainer, tmp_path, changes, message):
    teacher = load_teacher(written(tmp_path / "t.pt", **changes))
    with pytest.raises(UsageError, match=message):
        make_trainer(teacher=teacher, distill=0.5)


def test_a_share_and_a_teacher_belong_together(make_trainer, teacher):
    with pytest.raises(UsageError, match="add --teacher MODEL"):
        make_trainer(distill=0.5)
    with pytest.raises(UsageError, match="with distill 0 the teacher says nothing"):
        make_trainer(teacher=teacher)


def test_a_file_that_is_no_model(tmp_path):
    torch.save({"format": "bnas-deploy/checkpoint"}, tmp_path / "c.pt")
    with pytest.raises(CheckpointError, match="its format is 'bnas-deploy/checkpoint'"):
        load_teacher(tmp_path / "c.pt")
