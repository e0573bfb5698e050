"""Entries read and written with every kind of key, and functions that write into an array."""

from __future__ import annotations

import numpy as np
import pytest

from tests.functions.differences import right

rng = np.random.default_rng(0)
v, M, T = rng.normal(size=5), rng.normal(size=(3, 4)), rng.normal(size=(2, 3, 4))

VECTOR_KEYS = [
    "0",
    "-1",
    "1:3",
    "::-1",
    "None",
    "...",
    "[0,2,2]",
    "np.array([[0,1],[2,3]])",
    "x > 0",
    "::2",
    "3:0:-2",
    "(0,)",
    "True",
    "np.int64(2)",
    "()",
    "(...,None)",
    "[True,False,True,True,False]",
    "(None,[1,1])",
    "[]",
    "1:1",
]
MATRIX_KEYS = [
    "0",
    "-1,2",
    "1:3,::-1",
    "...,0",
    "None,:,None,1",
    "[0,2],[1,1]",
    "[0,2]",
    ":,[1,3,3]",
    "[[0],[2]],[1,2]",
    "np.ix_([0,2],[1,3])",
    "x > 0",
    "[True,False,True]",
    "[True,False,True],:2",
    "1:,[0,0]",
    "np.array([1,2]),None,1:3",
    "[0,1],...",
    "np.s_[1:,::2]",
    "x[:,0] > 0",
    ":,x[0] > 0",
    "0,[1,2]",
    "[0,1],1:3",
    "np.argsort(x[:,0])",
    "np.nonzero(x > 0)",
    "np.triu_indices(3)",
]
TENSOR_KEYS = [
    "[0,1],:,[1,2]",
    ":,[0,2],[1,1]",
    "0,:,[1,2]",
    "[0],...,[1,2]",
    "...,[1,0],:2",
    "None,...,1",
    "...,np.array([[True,False,True,False],[False,True,False,False],[True,True,True,True]])",
    ":,x[0] > 0",
]


@pytest.mark.parametrize(
    ("key", "x"), [(k, v) for k in VECTOR_KEYS] + [(k, M) for k in MATRIX_KEYS] + [(k, T) for k in TENSOR_KEYS]
)
def test_reading(key, x):
    right(eval(f"lambda x: x[{key}] * 2", {"np": np}), x)


def program(*lines):
    """A function of x that writes into y, which begins as 2x."""
    found = {}
    exec("\n    ".join(["def f(x):", "y = x * 2", *lines, "return y"]), {"np": np}, found)
    return found["f"]


VECTOR_WRITES = [
    ("0", "x[1]"),
    ("1:3", "x[2:4]"),
    ("...", "x * x"),
    ("::2", "1.5"),
    ("[0,2]", "x[1:3]"),
    ("x > 0", "x[x > 0]"),
    ("x > 0", "0.5"),
    ("1:4", "x[0]"),
    ("-1", "2"),
    (":", "x[::-1]"),
    ("[1,1]", "x[:2]"),
    ("np.array([0,3])", "x[0] * x[1]"),
    ("()", "x"),
    ("None", "x"),
    ("0:2", "[x[3], x[4]]"),
    ("2:4", "np.array([x[3], 1.0])"),
]
MATRIX_WRITES = [
    ("0", "x[1]"),
    ("1:3,2", "x[2,0]"),
    ("...", "x * x"),
    ("::2,1:", "1.5"),
    ("[0,2]", "x[1]"),
    ("x > 0", "x[x > 0]"),
    (":,1", "x[:,0]"),
    (":,[0,2]", "x[:,1:3]"),
    ("-1", "x[0:1]"),
    ("np.ix_([0,1],[1,2])", "x[:2,:2]"),
    ("np.triu_indices(3)", "x[0,0]"),
    ("1,2", "x[0,0]"),
    ("2,:", "x[1] * 2"),
    ("...,0", "x[:,1]"),
]


@pytest.mark.parametrize(("key", "value", "x"), [(*w, v) for w in VECTOR_WRITES] + [(*w, M) for w in MATRIX_WRITES])
def test_writing(key, value, x):
    right(program(f"y[{key}] = {value}", "z = y * 2", "y[0] = x[1]", "y = y * x + z"), x)


STATEMENTS = [
    "np.copyto(y,x**2)",
    "np.copyto(y,x[0],where=x>0)",
    "np.put(y,[0,5],x[0,:2])",
    "np.put(y,[0,5,7],x[0,0])",
    "np.place(y,x>0,x[0,:2])",
    "np.putmask(y,x>0,x[0])",
    "np.putmask(y,x>0,x**2)",
    "np.put_along_axis(y,np.array([[1],[0],[2]]),x[:,:1],axis=1)",
    "np.fill_diagonal(y,x[0,0])",
    "np.fill_diagonal(y,[1.,2,3])",
    "y.fill(x[0,0])",
    "y.flat[2]=x[0,0]",
    "y.flat[:3]=x[1,:3]",
    "y.T[0]=x[0,0]",
    "y.ravel()[3]=x[0,0]",
    "y.reshape(-1)[::2]=x[0,0]",
    "y[1][2]=x[0,0]",
    "a,b,c=y; a[:]=b*c",
    "y[:,1]+=x[:,0]",
    "y[y>0]*=x[0,0]",
    "y[[0,1]]=y[[1,0]]",
    "y[0],y[1]=y[1].copy(),y[0].copy()",
    "y.sort()",
    "y.put([1],x[0,0])",
    "d=np.einsum('ii->i',y[:,:3]); d[:]=x[0,:3]",
]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_statements(statement):
    right(program(statement), M)
