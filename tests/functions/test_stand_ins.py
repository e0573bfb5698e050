"""What stands for functions that tell nobody when they are called: for the trace alone, and for nobody else."""

from __future__ import annotations

import asyncio
import builtins
import cmath
import functools
import math
import os
import pickle
import subprocess
import sys
import threading
import types
from concurrent.futures import ThreadPoolExecutor
from math import exp, pi
from pathlib import Path

import numpy as np
import pytest
from numpy import zeros

from jacobians import TracingError, hessian, jacobian, trace
from jacobians.core.graph import Recording
from jacobians.functions.replacing import Names
from tests.functions import helpers_of_users
from tests.functions.differences import right
from tests.functions.helpers_of_users import squares

rng = np.random.default_rng(0)
v = rng.normal(size=3)
TABLE = np.arange(9.0).reshape(3, 3)


def written(x):
    y = np.zeros(3)
    y[0] = x[0] * x[1]
    y[1:] = np.array([x[2], x[0]])
    return y


# --- whatever makes arrays --------------------------------------------------------------------------------------------


def copies(x):
    a, b, c, d = TABLE.copy(), np.copy(TABLE), np.array(TABLE), TABLE[0].copy()
    a[0], b[1], c[:, 2] = x, x**2, x
    d[1] *= x[1]
    return a @ b @ c * d


def likes(x):
    a, b = np.zeros_like(TABLE), np.full_like(TABLE, 2.0)
    a[0] = x
    b[x > 0] *= x[0]
    return a + b


def sequences(x):
    a, b, c = np.linspace(0, 1, 3), np.arange(3.0), np.diag([1.0, 2.0, 3.0])
    a[1], c[0, 2] = x[0], x[1]
    b += x
    return c @ a * b


def computed(x):
    a, b, c = TABLE * 2, np.sin(TABLE), np.concatenate([TABLE[0], TABLE[1]])
    a[0] = x
    b += x
    c[2:5] = x
    return a @ b, c


def list_of_numbers(x):
    y = np.array([0.0, 1.0, 2.0])
    y[0] = x[0]
    z = y
    z[2] = x[1]
    return y * x


@pytest.mark.parametrize(
    "f", [copies, likes, sequences, lambda x: computed(x)[0], lambda x: computed(x)[1], list_of_numbers]
)
def test_new_arrays_can_be_written_into(f):
    before = TABLE.copy()
    right(f, v)
    np.testing.assert_array_equal(TABLE, before)
    assert type(TABLE) is np.ndarray
    assert np.allclose(trace(f, v).output, f(v))


def test_arguments_that_are_not_differentiated_by_can_be_written_into():
    def f(x, y):
        y = y.copy()
        y[0] += x[0]
        for _ in range(3):
            y = y + x * y
        return y

    y = np.ones(3)
    np.testing.assert_allclose(jacobian(f)(v, y), jacobian(f, argnums=(0, 1))(v, y)[0])
    assert (y == 1).all()


def test_arrays_of_the_module_itself_are_refused():
    def f(x):
        TABLE[0] = x
        return TABLE

    def g(x):
        part = TABLE[0]
        part += x
        return part

    before = TABLE.copy()
    for one in (f, g):
        with pytest.raises(TracingError, match="cannot be traced in"):
            jacobian(one)(v)
    np.testing.assert_array_equal(TABLE, before)


def test_parts_of_an_array_of_the_module_are_refused():
    before = TABLE.copy()
    for part in (
        lambda: np.reshape(TABLE, 9),
        lambda: np.asarray(TABLE)[0],
        lambda: np.transpose(TABLE)[0],
        TABLE.view,
    ):

        def f(x, part=part):
            y = part()
            y[:3] = x[0]
            return TABLE * x[1]

        with pytest.raises(TracingError, match="cannot be traced in"):
            jacobian(f)(v)
    np.testing.assert_array_equal(TABLE, before)


def test_it_is_remembered_which_functions_need_it():
    calls = []

    def f(x):
        calls.append(1)
        y = TABLE.copy()
        y[0] = x
        return y

    for count in (2, 3, 4):
        jacobian(f)(v)
        assert len(calls) == count


def test_what_an_interrupt_leaves_is_cleared_away():
    names = {"np": np}
    replaced, lost, other = Names(names), Recording({}), Recording({})
    replaced.enter(lost, {"np": "stand-in"})
    lost.is_open = False  # without `leave`
    replaced.enter(other, {"np": "stand-in"})
    assert names["np"] == "stand-in"
    assert replaced.leave(other)
    assert names["np"] is np


def test_other_modules_of_the_user():
    right(lambda x: squares(x) + helpers_of_users.weighted(x) * helpers_of_users.Norm()(x), v)
    right(functools.partial(lambda f, x: f(x), squares), v)
    right(helpers_of_users.Norm(), v)
    assert helpers_of_users.np is np
    assert helpers_of_users.sqrt is math.sqrt
    assert type(helpers_of_users.WEIGHTS) is np.ndarray


def test_whatever_numpy_is_called():
    def within():
        import numpy as xp

        def f(x):
            y = xp.zeros(3)
            y[:] = x * zeros(1).shape[0]
            return y

        return f

    right(within(), v)
    names = {}
    exec(
        "import numpy as n\nf = lambda x: n.array([x[0] * x[1], 1.0])\n"
        "def g(x):\n y = n.ones(2)\n y[0] = x[2]\n return y",
        names,
    )
    right(names["f"], v)
    right(names["g"], v)
    assert type(names["n"]) is types.ModuleType


def imported(x):
    import math as m
    from math import exp as e

    import numpy as xp
    import numpy.linalg as la
    from numpy import ones

    y, z = xp.zeros(3), ones(3)
    y[:], z[0] = x * m.sin(x[0]), e(x[1])
    return y * z * la.norm([x[0], x[1]])


def test_imports_in_a_function():
    before = builtins.__import__
    right(imported, v)
    assert np.allclose(trace(imported, v).output, imported(v))
    assert builtins.__import__ is before
    assert type(imported(v)) is np.ndarray


# --- numbers ----------------------------------------------------------------------------------------------------------


def numbers_of_python(x):
    a = float(x[0]) ** 2 + float(np.sum(x)) + float("1.5") + float(2)
    z = complex(x[1], x[2]) * cmath.exp(1j * x[0]) + cmath.sqrt(x[1] - 5.0)
    return a + abs(z) ** 2 + cmath.phase(z)


def mathematics(x):
    a, b, c = x[0], abs(x[1]) + 0.1, x[2]
    found = math.sin(a) + exp(c) * math.sqrt(b) + math.log(b) + math.log(b, 2) + math.log10(b) + math.pow(b, 1.5)
    found += math.atan2(a, c) + math.hypot(a, b) + math.hypot(a, b, c) + math.tanh(a) + math.fabs(a) + math.expm1(c)
    found += math.fsum([a, b, 1.0]) + math.prod([a, b]) + math.dist([a, b], [c, 0.0]) + math.fmod(c, 0.3)
    found += math.degrees(a) + math.copysign(b, -1.0) + math.remainder(c, 0.3) + math.modf(c)[0] + pi
    return found if math.isfinite(found) and not math.isclose(a, 7.0) and math.floor(a) < 5 else 0.0


@pytest.mark.parametrize("f", [numbers_of_python, mathematics])
def test_numbers(f):
    right(f, v)


@pytest.mark.parametrize("f", [written, squares, copies, likes, sequences, list_of_numbers, mathematics, imported])
def test_in_traces_of_traces(f):
    np.testing.assert_allclose(jacobian(jacobian(f))(v), hessian(f)(v), rtol=1e-10, atol=1e-12)


def test_special_functions_of_math():
    pytest.importorskip("scipy", reason="their derivatives are SciPy's")
    right(lambda x: math.erf(x[0]) + math.erfc(x[1]) + math.gamma(abs(x[2]) + 1) + math.lgamma(abs(x[0]) + 2), v)


def test_numbers_raise_what_python_raises():
    def f(x):
        try:
            return math.sqrt(-abs(x[0]))
        except ValueError:
            return x[1] ** 2

    right(f, v)
    with pytest.raises(TypeError):
        jacobian(lambda x: float(x) * x)(v)


def test_float_is_a_class():
    def f(x):
        assert isinstance(2.0, float)
        assert isinstance(x[0], float)
        assert not isinstance(x, float)
        assert issubclass(np.float64, float)
        assert np.zeros(2, dtype=float).dtype == float == x.dtype
        assert np.ones(2, int).astype(float).dtype == np.float64
        assert {float: 1}[(2.0).__class__] == 1
        assert isinstance(2.0, float | int)
        assert float.fromhex("0x1p1") == 2.0

        class Own(float):
            pass

        assert type(Own(2.0)) is Own
        assert Own(2.0) == 2.0
        assert isinstance(1.0, pickle.loads(pickle.dumps(float)))
        return x * float(x[0])

    right(f, v)
    assert "float" not in globals()


def test_where_a_type_is_compared_float_is_what_it_was():
    names = {}
    exec("def f(x, a):\n return x * a if type(a) is float else x\ndef g(x):\n return x * float(x[0])", names)
    assert jacobian(names["f"])(2.0, 3.0) == 3.0
    with pytest.raises(TracingError, match="float"):
        jacobian(names["g"])(v)


def test_numbers_of_two_kinds():
    right(lambda x: math.remainder(x[0] + 3, abs(x[1]) + 0.7) + math.prod(x, start=3.0) + math.prod([x[0], 2]), v)
    right(lambda x: abs(cmath.rect(x[0] + 2, x[1]) - (1 + 2j)) ** 2 + cmath.polar(x[0] + 1j * x[2])[1], v)


def test_names_of_the_module_are_its_own():
    names = {"float": lambda t: 2 * t}
    exec("def f(x):\n return float(x[0]) * x", names)
    right(names["f"], v)
    names = {"np": np}
    exec("def f(x):\n if x[0] > 0:\n  return x\n y = zeros(3)\n y[:] = x * x\n return y", names)
    right(names["f"], abs(v))
    names["zeros"] = np.zeros  # which comes in later
    right(names["f"], -abs(v))


# --- entry by entry ---------------------------------------------------------------------------------------------------


@np.vectorize
def sign_squared(t):
    return t * t if t > 0 else -t


def vectorized(x):
    f = np.vectorize(lambda a, b: a * b if a > b else a, otypes=[float])
    return f(x, x[::-1]) + sign_squared(x) + np.fromiter((t**2 for t in x), dtype=float, count=3)


def iterated(x):
    y = np.zeros((3, 3))
    with np.nditer([x[:, None], x], flags=["multi_index"]) as it:
        for a, b in it:
            y[it.multi_index] = a * b
    with np.nditer(y, op_flags=["readwrite"]) as entries:
        for one in entries:
            one[...] = one * one + x[0]
            one += 1
    return y


@pytest.mark.parametrize("f", [vectorized, iterated])
def test_entry_by_entry(f):
    right(f, v)
    assert np.vectorize(lambda t: t + 1, otypes=[float])(v).dtype == float
    assert next(iter(np.nditer(v))) == v[0]


# --- for nobody else --------------------------------------------------------------------------------------------------


def test_all_is_as_before():
    before = np, zeros, exp, math, cmath, dict(globals())

    def failing(x):
        squares(x)
        raise KeyError("no")

    for f in (failing, written, lambda x: jacobian(written)(np.ones(3)) @ x):
        try:
            jacobian(f)(v)
            hessian(f)(v)
        except KeyError:
            pass
    assert before == (np, zeros, exp, math, cmath, dict(globals()))
    assert helpers_of_users.np is np
    assert type(np.zeros(3)) is np.ndarray


def test_an_interrupt_anywhere_leaves_nothing_behind():
    """Interrupted at every line of the library in turn, later calls are right and make plain arrays."""
    ours = str(Path(sys.modules["jacobians.functions"].__file__).parent)
    for k in range(0, 400, 7):
        left = k

        def interrupt(frame, event, _argument):
            nonlocal left
            if event == "line" and frame.f_code.co_filename.startswith(ours):
                left -= 1
                if left < 0:
                    sys.settrace(None)
                    raise KeyboardInterrupt
            return interrupt

        before = sys.gettrace()
        sys.settrace(interrupt)
        try:
            jacobian(written)(v)
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(before)
        assert type(np.zeros(3)) is np.ndarray
        assert type(np.array([1.0])) is np.ndarray
    np.testing.assert_allclose(jacobian(written)(v)[0], [v[1], v[0], 0])
    assert type(written(v)) is np.ndarray


def test_other_threads_run_the_module_meanwhile():
    wrong, stop = [], threading.Event()

    def plain():
        while not stop.is_set():
            y, z = written(v), squares(v)
            a = np.array([1.0, 2.0])
            if any(type(one) is not np.ndarray for one in (y, z, a)) or not np.array_equal(z, v**2):
                wrong.append(y)
            if not isinstance(float("2"), float) or pickle.loads(pickle.dumps(np.zeros)) != np.zeros:
                wrong.append(float)

    def traced():
        for _ in range(30):
            if not np.allclose(jacobian(written)(v)[0], [v[1], v[0], 0]):
                wrong.append("jacobian")
            jacobian(lambda x: float(x[0]) * copies(x))(v)

    threads = [threading.Thread(target=plain), *[threading.Thread(target=traced) for _ in range(2)]]
    for one in threads:
        one.start()
    for one in threads[1:]:
        one.join()
    stop.set()
    threads[0].join()
    assert not wrong
    assert type(TABLE) is np.ndarray
    assert "float" not in globals()


def test_a_function_that_starts_threads_is_refused():
    def f(x):
        with ThreadPoolExecutor(2) as pool:
            return np.stack(list(pool.map(lambda k: x[k] ** 2, range(3))))

    with pytest.raises(TracingError, match="another thread"):
        jacobian(f)(v)


def test_tasks_take_turns():
    async def one(k):
        await asyncio.sleep(0)
        found = jacobian(written)(v + k)
        await asyncio.sleep(0)
        return found

    async def all_of_them():
        return await asyncio.gather(*[one(k) for k in range(5)])

    for k, J in enumerate(asyncio.run(all_of_them())):
        np.testing.assert_array_equal(J, jacobian(written)(v + k))


def test_generators_that_outlive_a_trace():
    held = []

    def values():
        while True:
            yield np.ones(3)

    def f(x):
        held.append(values())
        return x * next(held[0])[0]

    assert jacobian(f)(v).shape == (3, 3)
    assert type(next(held[0])) is np.ndarray


def test_what_is_remembered_between_calls():
    @functools.lru_cache
    def weights(n):
        w = np.ones(n)
        w[0] = w[-1] = 0.5
        return w

    def f(x):
        return weights(3) * x**2

    for _ in range(2):
        right(f, v)
        np.testing.assert_array_equal(f(v), [0.5 * v[0] ** 2, v[1] ** 2, 0.5 * v[2] ** 2])
        assert type(f(v)) is np.ndarray
        assert trace(f, v).jacobian("x").shape == (3, 3)
        assert hessian(f)(v).shape == (3, 3, 3)
    w = weights(3)
    for outside in (2 * w, w - 1, w * w, w / v, v @ w):
        assert type(outside).__module__ == "numpy"


def test_a_name_that_f_changes_stays_changed():
    names = {}
    exec("import numpy as np\nimport math\ndef f(x):\n global np, math\n np = 7\n del math\n return x * 2", names)
    jacobian(names["f"])(v)
    assert names["np"] == 7
    assert "math" not in names


def test_a_module_that_is_loaded_again(tmp_path, monkeypatch):
    (tmp_path / "loaded_again.py").write_text(
        "import importlib, sys\nimport numpy as np\n"
        "def f(x):\n    importlib.reload(sys.modules[__name__])\n    return x * 2\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import loaded_again

    np.testing.assert_array_equal(jacobian(loaded_again.f)(v), 2 * np.eye(3))
    assert loaded_again.np is np
    del sys.modules["loaded_again"]


def test_functions_can_be_pickled_meanwhile():
    def f(x):
        for one in (np.zeros, zeros, exp, np.linalg.norm, written, functools.partial(np.zeros, 3)):
            assert callable(pickle.loads(pickle.dumps(one)))
        assert pickle.loads(pickle.dumps(np.zeros)) is not None
        return x

    jacobian(f)(v)


def test_a_function_of_numpy_in_a_class_is_no_method():
    class Maker:
        make = np.zeros

    def f(x):
        class Other:
            make = np.zeros

        y = Other().make(3)
        y[:] = x * Maker().make(3).size
        return y

    right(f, v)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_forked_processes():
    """In a process of its own, since other packages warn of forks."""
    program = """
import os
import numpy as np
from jacobians import jacobian

def written(x):
    y = np.zeros(3)
    y[:] = x * x
    return y

def f(x):
    child = os.fork()
    if not child:
        found = jacobian(written)(np.ones(3))
        os._exit(0 if found.shape == (3, 3) else 1)
    assert os.waitpid(child, 0)[1] == 0
    return written(x)

assert (jacobian(f)(np.ones(3)) == 2 * np.eye(3)).all()
assert type(np.zeros(3)) is np.ndarray
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
