"""Every public function of NumPy gets a traced value: what comes out is right, plain by nature, or refused.

Nothing is silently constant: a function that gives a plain result must be in the list of those that are piecewise
constant, or it must not depend on its argument, as differences say.
"""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest

from jacobians import TracingError, jacobian
from jacobians.core.rules import RULES
from tests.functions.differences import differences

rng = np.random.default_rng(3)
VECTOR, MATRIX, SQUARE = rng.uniform(0.2, 0.9, 4), rng.uniform(0.2, 0.9, (3, 4)), rng.uniform(0.2, 0.9, (3, 3))
SQUARE = SQUARE @ SQUARE.T + np.diag([1, 1.3, 1.7]) + np.tri(3) / 50  # nearly symmetric, for those that take half of it

MODULES = {"np": np, "np.linalg": np.linalg, "np.fft": np.fft, "np.lib.stride_tricks": np.lib.stride_tricks}
FUNCTIONS = {
    f"{module}.{name}": getattr(where, name)
    for module, where in MODULES.items()
    for name in sorted(set(dir(where)))
    if not name.startswith("_") and callable(getattr(where, name)) and not isinstance(getattr(where, name), type)
}
ARGUMENTS = {  # what else a function needs; x is the traced value
    "np.allclose": ["x, x"],
    "np.append": ["x, x", "x, 1.0", "np.ones(2), x"],
    "np.apply_along_axis": ["np.sum, 0, x"],
    "np.apply_over_axes": ["np.sum, x, [0]"],
    "np.linalg.tensorinv": ["x, 1"],
    "np.vsplit": ["x, 3"],
    "np.astype": ["x, float", "x, int"],
    "np.dsplit": ["x[None], 2"],
    "np.hsplit": ["x, 2"],
    "np.average": [
        "x", "x, weights=np.arange(1.0, 1 + len(x)), axis=0", "np.arange(1.0 * x.size).reshape(x.shape), weights=x"
    ],
    "np.bincount": ["[0, 1, 1, 0], x", "x"],
    "np.block": ["[x, x]"],
    "np.broadcast_to": ["x, (2, *x.shape)"],
    "np.choose": ["np.zeros(4, int), [x, x]", "x, [1, 2]"],
    "np.clip": ["x, 0.3, 0.6", "0.5, x, 1.0", "0.5, 0.0, x"],
    "np.compress": ["[True, False, True], x, 0"],
    "np.concatenate": ["[x, x]", "[x, np.ones(x.shape)]"],
    "np.copyto": ["x * 1.0, x", "np.zeros(x.shape), x"],
    "np.correlate": ["x, x[:2]"],
    "np.delete": ["x, 0"],
    "np.diff": ["x"],
    "np.digitize": ["x, [0.3, 0.6]"],
    "np.einsum": ["'...i,...i->...', x, x", "'...i->...', x"],
    "np.einsum_path": ["'...i,...i->...', x, x"],
    "np.expand_dims": ["x, 0"],
    "np.extract": ["x > 0.5, x"],
    "np.fill_diagonal": ["np.zeros((3, 3)), x"],
    "np.full": ["3, x[0]"],
    "np.full_like": ["x, 2.0", "x, x.sum()"],
    "np.gradient": ["x"],
    "np.heaviside": ["x, 0.5", "np.zeros(x.shape), x"],
    "np.insert": ["x, 1, 2.0", "x, 1, x[0]"],
    "np.interp": [
        "x, [0.0, 0.5, 1.0], [1.0, 3.0, 2.0]", "0.4, np.sort(np.ravel(x)), np.arange(1.0 * x.size)",
        "0.4, np.arange(x.size) / x.size, np.ravel(x)"
    ],
    "np.ix_": ["x"],
    "np.lexsort": ["[x]"],
    "np.ldexp": ["x, 2"],
    "np.linalg.cross": ["x[..., :3], x[..., 1:]"],
    "np.linalg.matrix_power": ["x, 3"],
    "np.linalg.multi_dot": ["[x, x, x]"],
    "np.linalg.tensorsolve": ["x, np.arange(1.0 * len(x))"],
    "np.linalg.lstsq": ["x, np.arange(1.0 * len(x))", "np.eye(4), x"],
    "np.linalg.solve": ["x, np.arange(1.0 * len(x))", "np.eye(4) + 0.1, x"],
    "np.linspace": ["x, 2.0, 3", "0.0, x, 3"],
    "np.logspace": ["x, 2.0, 3"],
    "np.geomspace": ["x, 2.0, 3"],
    "np.meshgrid": ["x, x"],
    "np.moveaxis": ["x, 0, -1"],
    "np.nan_to_num": ["x"],
    "np.pad": ["x, 1", "x, 1, 'edge'", "x, 1, 'mean'"],
    "np.partition": ["x, 1"],
    "np.argpartition": ["x, 1"],
    "np.percentile": ["x, 40"],
    "np.nanpercentile": ["x, 40"],
    "np.quantile": ["x, 0.4", "[1.0, 2.0, 4.0], x"],
    "np.nanquantile": ["x, 0.4"],
    "np.piecewise": ["x, [x > 0.5], [np.sin, np.cos]"],
    "np.place": ["np.zeros(4), [True, False, True, True], x"],
    "np.polyadd": ["x, [1.0, 2.0]"],
    "np.polydiv": ["x, [1.0, 2.0]"],
    "np.polyfit": ["x, np.arange(1.0 * len(x)), 1", "np.arange(1.0 * len(x)), x, 1"],
    "np.polyval": ["x, 2.0", "[1.0, 2.0, 3.0], x"],
    "np.polymul": ["x, [1.0, 2.0]"],
    "np.polysub": ["x, [1.0, 2.0]"],
    "np.put": ["np.zeros(4), [0, 1], x"],
    "np.put_along_axis": ["np.zeros(4), np.array([0, 1, 2, 3]), x, 0"],
    "np.putmask": ["np.zeros(x.shape), x > 0.5, x"],
    "np.repeat": ["x, 2"],
    "np.reshape": ["x, -1"],
    "np.resize": ["x, (2, 3)"],
    "np.roll": ["x, 1"],
    "np.rollaxis": ["x, -1"],
    "np.select": ["[x > 0.5], [x], 2.0"],
    "np.sinc": ["x"],
    "np.split": ["x, [1]"],
    "np.array_split": ["x, 2"],
    "np.stack": ["[x, x]"],
    "np.swapaxes": ["x, 0, -1"],
    "np.take": ["x, [0, 1]"],
    "np.take_along_axis": ["x, np.argsort(x, axis=0), 0"],
    "np.tensordot": ["x, x, 1"],
    "np.linalg.tensordot": ["x, x, axes=1"],
    "np.tile": ["x, 2"],
    "np.trapezoid": ["x", "np.ones(x.shape), x"],
    "np.unravel_index": ["3, (4, 4)"],
    "np.unwrap": ["x * 9"],
    "np.vander": ["x, 3"],
    "np.where": ["x > 0.5, x, 1.0", "x > 0.5, 1.0, x"],
    "np.lib.stride_tricks.sliding_window_view": ["x, 2"],
    "np.lib.stride_tricks.as_strided": ["x, (2,), (8,)"],
}  # fmt: skip
NOTHING_TO_DO_WITH_VALUES = {  # they print, read, configure, or take no array
    "busday_count busday_offset datetime_as_string datetime_data format_float_positional format_float_scientific "
    "from_dlpack frombuffer fromfile fromfunction fromiter frompyfunc fromregex fromstring genfromtxt get_include "
    "get_printoptions getbufsize geterr geterrcall info is_busday load loadtxt nested_iters printoptions promote_types "
    "save savetxt savez savez_compressed set_printoptions setbufsize seterr seterrcall show_config show_runtime test "
    "typename mintypecode base_repr binary_repr errstate isdtype issubdtype bmat asmatrix ravel_multi_index "
    "diag_indices tril_indices triu_indices mask_indices indices identity eye broadcast_shapes "
    "can_cast isnat bartlett blackman hamming hanning kaiser bitwise_and bitwise_count bitwise_invert "
    "bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor "
    "gcd lcm invert left_shift right_shift packbits unpackbits empty zeros ones tri arange"
}
SKIPPED = {f"np.{name}" for names in NOTHING_TO_DO_WITH_VALUES for name in names.split()} | {
    "np.linalg.test", "np.fft.test", "np.fft.fftfreq", "np.fft.rfftfreq"
}  # fmt: skip


SENTENCE = re.compile("cannot be traced|no complex derivative|has no derivative")


def numbers(result):
    """All arrays of numbers in a result, one after another, the complex ones as pairs of real ones."""
    if isinstance(result, list | tuple):
        return [one for part in result for one in numbers(part)]
    if result is None or isinstance(result, str | dict | np.dtype | type):
        return []
    if (
        getattr(result, "dtype", np.dtype(type(result) if isinstance(result, int | float | complex) else object)).kind
        == "c"
    ):
        return [np.real(result), np.imag(result)]
    return [result]


def calls(name, function):
    """Calls of the function with something made of x, as functions of x."""
    for text in ARGUMENTS.get(name, ["x", "x, x"]):
        yield f"{name}({text})", eval(f"lambda x: FUNCTION({text})", {"np": np, "FUNCTION": function})


@pytest.mark.parametrize("name", sorted(FUNCTIONS.keys() - SKIPPED))
def test_right_or_refused(name):
    counts = {"right": 0, "refused": 0, "impossible": 0, "unclear": 0}
    for text, call in calls(name, FUNCTIONS[name]):
        for x in (VECTOR, MATRIX, SQUARE):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    plain = call(x.copy())
                    many = len(numbers(plain))
            except Exception:  # not for an array of this shape, or not with these arguments
                counts["impossible"] += 1
                continue
            try:
                for k in range(many):
                    check(lambda v, k=k, call=call: numbers(call(v))[k], x, text)
                counts["right"] += 1
            except (TracingError, ValueError) as error:
                counts["refused" if SENTENCE.search(str(error)) else "unclear"] += 1
    assert counts["unclear"] == 0
    assert counts["right"] + counts["refused"] > 0, f"{name} needs other arguments"
    if FUNCTIONS[name] in RULES and name not in REFUSED:
        assert counts["right"] > 0, f"{name}: there is a rule, but no call was right"


METHODS = {
    "astype": "float", "choose": "[x, x]", "clip": "0.3, 0.6", "compress": "[True, True]", "dot": "x", "fill": "x[0]",
    "item": "2", "partition": "1", "argpartition": "1", "put": "[1], x[0]", "repeat": "2", "reshape": "4, 1",
    "searchsorted": "0.3", "swapaxes": "0, -1", "take": "[1, 2]", "setfield": "x, float",
}  # fmt: skip


@pytest.mark.parametrize("name", [n for n in dir(np.ndarray) if not n.startswith("_")])
def test_methods_and_attributes_are_right_or_refused(name):
    called = callable(getattr(np.ndarray, name))
    text = f"y.{name}" + (f"({METHODS.get(name, '')})" if called else "")
    call = eval(f"lambda x: (lambda y: ({text}, y))(x * 1.0)", {"np": np})
    for x in (VECTOR, MATRIX):
        try:
            many = len(numbers(call(x.copy())))
        except Exception:  # not with these arguments
            continue
        try:
            for k in range(many):
                check(lambda v, k=k: numbers(call(v))[k], x, text)
        except TracingError as error:
            unclear = not SENTENCE.search(str(error))
            assert not unclear


def check(f, x, text):
    """The Jacobian of f is that of differences."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value = np.asarray(f(x.copy()))
        if value.dtype.kind not in "fiub" or not np.isfinite(value).all():
            return
        J = jacobian(f)(x)
        expected = differences(f, [x], 0)
    assert J.shape == expected.shape, text
    np.testing.assert_allclose(J, expected, rtol=1e-5, atol=1e-6, err_msg=text)


REFUSED = {"np.histogram2d", "np.histogramdd"}  # by their rules
