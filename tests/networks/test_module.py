"""Any torch module as a network: what it answers, how it starts, and what is refused."""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from twins import FULL, MEMBERS, answers_of_twin, lessons, some_inputs, some_parameters

from fathometer.errors import NetworkError
from fathometer.networks.layers import joined
from fathometer.networks.module import PARAMETER, ModuleNetwork
from fathometer.networks.module_check import check_module
from fathometer.networks.network import Inputs, Shape, keep_all
from fathometer.networks.operators import TWINS
from fathometer.population.member import Member, Schedule
from fathometer.population.train import train


class Residual(nn.Module):
    """Normalised blocks with a skip, a buffer and reshaping."""

    def __init__(self, features: int, outputs: int) -> None:
        super().__init__()
        self.enter = nn.Linear(features, 16)
        self.norm = nn.LayerNorm(16)
        self.block = nn.Sequential(nn.Linear(16, 16), nn.GELU(), nn.Dropout(0.2))
        self.leave = nn.Linear(16, outputs)
        self.register_buffer("scale", torch.linspace(0.5, 2, 16))

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.norm(self.enter(x))
        hidden = hidden + self.block(hidden) * self.scale
        return self.leave(torch.flatten(hidden.view(x.shape[0], 4, 4), 1))


class Attentive(nn.Module):
    """Each column a token, a token of its own for the answer, one transformer layer."""

    def __init__(self, features: int, outputs: int) -> None:
        super().__init__()
        self.up = nn.Linear(1, 8)
        self.first = nn.Embedding(1, 8)
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True)
        self.leave = nn.Linear(8, outputs)

    def forward(self, x: Tensor) -> Tensor:
        first = self.first.weight.unsqueeze(0).expand(x.shape[0], 1, 8)
        tokens = torch.cat([first, self.up(x.unsqueeze(2))], dim=1)
        return self.leave(self.layer(tokens)[:, 0])


class Varied(nn.Module):
    """Activations, reductions, comparisons, and what cuts and joins."""

    def __init__(self, features: int, outputs: int) -> None:
        super().__init__()
        self.enter, self.leave = nn.Linear(features, 12), nn.Linear(12, outputs)
        self.bend = nn.PReLU()

    def forward(self, x: Tensor) -> Tensor:
        functional = nn.functional
        one, other = self.enter(x).chunk(2, 1)
        hidden = torch.cat([one * torch.sigmoid(other), other], 1)
        hidden = torch.where(hidden > 0.1, hidden, functional.elu(hidden) * 0.5)
        hidden = hidden + functional.softplus(hidden) + functional.mish(hidden)
        hidden = hidden + functional.hardswish(hidden) + functional.leaky_relu(hidden, 0.2)
        hidden = self.bend(hidden / (1e-6 + hidden.norm(dim=1, keepdim=True)))
        hidden = hidden * torch.tensor([1.0, 2.0] * 6) + hidden.std(1, keepdim=True)
        hidden = hidden + torch.arange(12) / 12 + hidden.new_ones(x.shape[0], 1)
        hidden = hidden + torch.sign(x[:, [1]]) * hidden[:, ::2].max(1, keepdim=True)[0]
        hidden = hidden - hidden[:, -3:].amin(1, keepdim=True) + functional.hardtanh(hidden)
        hidden = hidden.clamp(min=-2) - torch.logsumexp(hidden, 1, keepdim=True)
        return self.leave(hidden) + torch.softmax(hidden, 1).amax(1, keepdim=True)


class Arithmetic(nn.Module):
    """Everything else that has a twin."""

    def __init__(self, features: int, outputs: int) -> None:
        super().__init__()
        self.enter, self.leave = nn.Linear(features, 8), nn.Linear(8, outputs, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.enter(x)
        near = torch.sin(hidden) * torch.cos(hidden) + torch.erf(hidden) - torch.floor(hidden / 3)
        near = near + torch.log1p(hidden.abs()) + torch.expm1(-hidden.square()) + hidden.pow(3)
        near = near + (hidden.square() + 1).rsqrt() + (hidden.exp() + 1).reciprocal()
        near = near - (hidden.abs() + 1) ** torch.tensor([0.5]) + torch.neg(hidden.abs() + 1).neg()
        near = torch.maximum(near, hidden) + torch.minimum(near, -hidden) + torch.tanh(near)
        low, high = hidden < 0.5, hidden >= -0.5
        kept = (
            (low & high) | ~(hidden <= 0) | (hidden == 1) | (torch.logical_not(low) & (near != 2))
        )
        kept = torch.logical_or(torch.logical_and(kept, high), low)
        near = (
            near * kept
            + torch.where(kept, near, 0.0).sum(1, keepdim=True)
            - near.min(1)[0][:, None]
        )
        picked = near.select(1, 3).unsqueeze(1) + torch.index_select(near, 1, torch.tensor([1, 2]))
        cells = torch.bmm(near.view(x.shape[0], 2, 4), hidden.view(x.shape[0], 4, 2))
        near = near + cells.flatten(1).mean(1, keepdim=True) + picked.var(1, keepdim=True)
        turned = near.view(x.shape[0], 2, 4) @ torch.eye(4)[[1, 0, 3, 2]]
        near = near + turned.flatten(1) * (near > hidden).float() * (near < x[:, 1:9])
        near = near * ((near >= hidden) | (near == x[:, :1])) + (near <= hidden) * (near != hidden)
        near = near + hidden.detach()
        parts = near.unsqueeze(2).transpose(1, 2).squeeze(1).split([3, 5], 1)
        near = torch.cat(
            [nn.functional.softmin(parts[1], dim=1), torch.log_softmax(parts[0], 1)], 1
        )
        return self.leave(
            nn.functional.gelu(near, approximate="tanh") + torch.add(near, hidden, alpha=2)
        )


@cache
def checked(kind: type[nn.Module]) -> ModuleNetwork:
    return check_module(kind, FULL)


KINDS = [Residual, Attentive, Varied, Arithmetic]
kinds = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


@kinds
@pytest.mark.parametrize("rows", [0, 1, 11])
def test_twin_answers_as_the_module_does(kind: type[nn.Module], rows: int) -> None:
    network = checked(kind)
    parameters = some_parameters(network, some_inputs(FULL).numbers[0])
    inputs = some_inputs(FULL, rows)
    want = network.forward(parameters, inputs).flatten(0, 1).numpy()
    np.testing.assert_allclose(answers_of_twin(network, parameters, inputs, 3), want, atol=1e-5)


@kinds
def test_a_member_is_the_module_with_its_own_parameters(kind: type[nn.Module]) -> None:
    network, inputs = checked(kind), some_inputs(FULL)
    parameters = some_parameters(network, inputs.numbers[0])
    together = network.forward(parameters, inputs)
    own = {name: tensor[1:2] for name, tensor in parameters.items()}
    module = copy.deepcopy(network.module).eval()
    module.load_state_dict(
        {name: own[PARAMETER + name][0] for name in module.state_dict()}, strict=True
    )
    columns = joined(inputs.members([1]), own, FULL.levels)[0]
    torch.testing.assert_close(together[1], module(columns).detach())


@kinds
def test_member_equals_the_same_module_trained_alone(kind: type[nn.Module]) -> None:
    network, schedule = checked(kind), Schedule(batch=16, every=5, patience=50, exact=True)
    everybody = [
        Member(network, fold, 5 + fold, 3e-3, 1e-2 * (fold + 1), network.share, 15)
        for fold in range(MEMBERS)
    ]
    for found, member in zip(train(lessons(FULL), everybody, schedule), everybody, strict=True):
        (alone,) = train(lessons(FULL), [member], schedule)
        torch.testing.assert_close(found.outputs, alone.outputs, atol=1e-4, rtol=1e-4)
        for name, tensor in alone.parameters.items():
            if name.endswith("in_proj_bias"):
                continue  # softmax cancels the keys' biases: their gradient is rounding alone
            torch.testing.assert_close(found.parameters[name], tensor, atol=1e-4, rtol=1e-4)


def test_one_after_the_other_is_all_at_once() -> None:
    network, inputs = checked(Residual), some_inputs(FULL)
    parameters = some_parameters(network, inputs.numbers[0])
    assert network.batched
    single = replace(network, batched=False)
    found, want = (each.forward(parameters, inputs) for each in (single, network))
    torch.testing.assert_close(found, want)


def test_starts_come_from_the_seed_alone_and_leave_the_users_module_as_it_is() -> None:
    module = nn.Sequential(nn.Linear(22, 8), nn.ReLU(), nn.Linear(8, 3))
    before, state = copy.deepcopy(module.state_dict()), torch.get_rng_state()
    network = check_module(module, FULL)
    numbers = some_inputs(FULL).numbers[0]
    one, other = some_parameters(network, numbers), some_parameters(network, numbers)
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert all(not torch.equal(own[0], own[1]) for own in one.values())
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(before[name], own) for name, own in module.state_dict().items())


def test_dropout_drops_each_members_share_and_no_prediction_drops() -> None:
    network, inputs = checked(Attentive), some_inputs(FULL)
    parameters = some_parameters(network, inputs.numbers[0])
    assert network.share == 0.1
    shapes: list[tuple[int, ...]] = []

    def keep(activations: Tensor) -> Tensor:
        shapes.append(tuple(activations.shape))
        return activations

    kept = network.forward(parameters, inputs, keep)
    torch.testing.assert_close(kept, network.forward(parameters, inputs))
    # 22 columns and a token: the attention's weights, what it answers, the inner layer, its answer.
    assert shapes == [(3, 11, 2 * 23 * 23), (3, 11, 23 * 8), (3, 11, 23 * 16), (3, 11, 23 * 8)]
    dropped = network.forward(parameters, inputs, lambda x: torch.zeros_like(x))
    assert not torch.allclose(dropped, kept)


def test_buffers_are_constants_and_all_else_is_trained() -> None:
    network = checked(Residual)
    assert network.fixed == {"module.scale"}
    start = network.start(torch.zeros(2, 4), torch.Generator().manual_seed(0))
    trained = sum(tensor.numel() for name, tensor in start.items() if name != "module.scale")
    assert network.parameter_count == trained
    assert network.draw().splitlines()[-1].strip() == f"{trained:,}"


def test_the_same_module_is_the_same_network_and_another_is_not() -> None:
    def make(width: int) -> nn.Module:
        return nn.Sequential(nn.Linear(22, width), nn.Tanh(), nn.Linear(width, 3))

    first, second, third = (check_module(make(width), FULL) for width in (8, 8, 9))
    assert first == second
    assert hash(first) == hash(second)
    assert first != third


class Bare(nn.Module):
    def __init__(self, features: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(features, outputs))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight


class Beside(nn.Module):
    """Looks at the other rows."""

    def __init__(self, features: int, outputs: int) -> None:
        super().__init__()
        self.leave = nn.Linear(features, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.leave(x - x.mean(dim=0))


class Counting(Beside):
    def __init__(self, features: int, outputs: int) -> None:
        super().__init__(features, outputs)
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.seen += 1
        return self.leave(x)


class Noisy(Beside):
    def forward(self, x: Tensor) -> Tensor:
        return self.leave(x + torch.randn_like(x) if self.training else x)


class Branching(Beside):
    def forward(self, x: Tensor) -> Tensor:
        return self.leave(x if x[0, 0] > 0 else -x)


class Last(nn.GRU):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x)[0][:, -1]


def stacked(*parts: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(22, 8), *parts, nn.Linear(8, 3))


def frozen() -> nn.Module:
    module = stacked(nn.ReLU())
    module[0].weight.requires_grad_(False)
    return module


# What is handed in, and every fragment that the answer has to hold.
REFUSED = {
    "too few features": (
        nn.Sequential(nn.Linear(22, 8), nn.Sequential(nn.ReLU(), nn.Linear(5, 3))),
        ['submodule "1.1"', "Linear(in_features=5", "(5, 8)", "5x8 and 5x3", "22"],
    ),
    "too many outputs": (nn.Linear(22, 4), ["(5, 4)", "(5, 3)"]),
    "a tuple": (nn.LSTM(22, 3), ["tuple"]),
    "batch normalisation": (stacked(nn.BatchNorm1d(8)), ['"1" is a BatchNorm1d', "LayerNorm"]),
    "a running state": (Counting, ['the buffer "seen" changes']),
    "a look at other rows": (Beside, ["rows beside it"]),
    "nothing to train": (nn.Flatten(), ["(5, 22)"]),
    "a frozen parameter": (frozen(), ['"0.weight" is frozen']),
    "other numbers": (stacked().double(), ["failed on an input", "Linear"]),
    "no way to start anew": (Bare, ["Bare", "weight", "reset_parameters"]),
    "chance": (Noisy, ["draws random numbers", "randn_like"]),
    "a branch on values": (Branching, ["cannot be followed", "x.shape[0]"]),
    "several shares": (stacked(nn.Dropout(0.1), nn.Dropout(0.3)), ["0.1, 0.3"]),
    "an operator without a twin": (
        nn.Sequential(nn.Unflatten(1, (1, 22)), nn.Conv1d(1, 3, 22), nn.Flatten()),
        ['submodule "1" (Conv1d)', "aten.convolution.default"],
    ),
    "a recurrent layer": (
        nn.Sequential(nn.Unflatten(1, (22, 1)), Last(1, 3, batch_first=True)),
        ["recurrent layers", "gru"],
    ),
    "a function that fails": (lambda features: nn.Linear(22, 3), ["22 features and 3 outputs"]),
    "a function of something else": (lambda features, outputs: 3, ["returned a int"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_enter_is_refused_in_words(case: str) -> None:
    source, fragments = REFUSED[case]
    with pytest.raises(NetworkError) as caught:
        check_module(source, FULL)
    error = caught.value
    said = f"{error.message} {error.details} {error.try_next}"
    assert [fragment for fragment in fragments if fragment not in said] == []
    assert __file__ not in said


def test_lazy_layers_take_the_tables_width() -> None:
    network = check_module(nn.Sequential(nn.LazyLinear(8), nn.ReLU(), nn.LazyLinear(3)), FULL)
    assert network.parameter_count == 23 * 8 + 9 * 3 + 8 * 8


def test_a_table_of_one_kind_of_column_is_answered() -> None:
    for shape in (Shape(4, 0, (), 1), Shape(0, 2, (), 2), Shape(0, 0, (6,), 2)):
        network = check_module(lambda features, outputs: nn.Linear(features, outputs), shape)
        inputs = some_inputs(shape)
        parameters = some_parameters(network, inputs.numbers[0])
        want = network.forward(parameters, inputs).flatten(0, 1).numpy()
        found = answers_of_twin(network, parameters, inputs, shape.outputs)
        np.testing.assert_allclose(found, want, atol=1e-5)


def test_nothing_of_the_users_machine_goes_into_the_file() -> None:
    from fathometer.graph import Element, Graph
    from fathometer.networks.network import InputTensors

    network, graph = check_module(Residual, Shape(4, 0, (), 3)), Graph()
    inputs = some_inputs(network.shape)
    parameters = some_parameters(network, inputs.numbers[0])
    weights = {name: tensor.numpy() for name, tensor in parameters.items()}
    ports = InputTensors(graph.constant(inputs.numbers.numpy()), None, None)
    out = graph.add("Flatten", network.write(graph, weights, ports), axis=2)
    content = graph.finish({"out": (out, Element.FLOAT, 3)}).SerializeToString()
    for told in (b"test_module", b"Residual", b"norm", b"/tmp", b"/work", b".py", b"forward"):
        assert told not in content


def test_tied_parameters_stay_tied() -> None:
    class Tied(nn.Module):
        def __init__(self, features: int, outputs: int) -> None:
            super().__init__()
            self.enter, self.leave = nn.Linear(features, 6), nn.Linear(6, outputs)
            self.inner, self.again = nn.Linear(6, 6), nn.Linear(6, 6)
            self.again.weight = self.inner.weight

        def forward(self, x: Tensor) -> Tensor:
            return self.leave(torch.relu(self.again(torch.relu(self.inner(self.enter(x))))))

    network = check_module(Tied, FULL)
    start = network.start(torch.zeros(2, 4), torch.Generator().manual_seed(0))
    assert sum("inner.weight" in name or "again.weight" in name for name in start) == 1


def test_inputs_are_numbers_flags_and_embedded_categories_in_this_order() -> None:
    inputs = some_inputs(FULL)
    network = check_module(lambda features, outputs: nn.Linear(features, outputs), FULL)
    parameters = some_parameters(network, inputs.numbers[0])
    moved = Inputs(inputs.numbers, 1 - inputs.flags, inputs.codes)
    parameters["module.weight"][:, :, 4:6] = 0
    torch.testing.assert_close(
        network.forward(parameters, moved), network.forward(parameters, inputs)
    )


@kinds
def test_a_network_runs_where_its_tensors_are(kind: type[nn.Module]) -> None:
    network, inputs = checked(kind), some_inputs(FULL).to(torch.device("meta"))
    parameters = some_parameters(network, some_inputs(FULL).numbers[0])
    there = {name: tensor.to("meta") for name, tensor in parameters.items()}
    # A tensor left behind on the CPU would be refused beside others.
    for drop in (keep_all, lambda activations: activations):
        assert network.forward(there, inputs, drop).device.type == "meta"


def test_every_twin_is_tried_here() -> None:
    tried = {
        str(node.target)
        for kind in KINDS
        for node in checked(kind).answering.decomposed.graph.nodes
    }
    assert sorted(set(TWINS) - tried) == []
