"""Functions that move entries, put arrays together, take differences of neighbours: expressions of a 3×4 array x."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

from jacobians import TracingError, jacobian, numerical_jacobian, trace
from tests.functions.differences import right

rng = np.random.default_rng(1)
M = rng.normal(size=(3, 4))

EXPRESSIONS = [
    "x.reshape(2,6)",
    "x.reshape((4,-1),order='F')",
    "np.reshape(x,-1)",
    "x.ravel('F')",
    "np.ravel(x)",
    "x.flatten('F')",
    "x.T",
    "x.transpose(1,0)",
    "np.transpose(x)",
    "x.mT",
    "x.swapaxes(0,1)",
    "np.expand_dims(x,1)",
    "x[None].squeeze()",
    "np.squeeze(x[:,None],axis=1)",
    "np.moveaxis(x,0,1)",
    "np.rollaxis(x,1)",
    "np.atleast_3d(x)",
    "np.atleast_2d(x[0])",
    "np.atleast_1d(x[0,0])",
    "np.flip(x)",
    "np.flip(x,0)",
    "np.fliplr(x)",
    "np.flipud(x)",
    "np.rot90(x)",
    "np.rot90(x,2)",
    "np.roll(x,1)",
    "np.roll(x,(1,2),axis=(0,1))",
    "np.tile(x,(2,1))",
    "np.tile(x[0],3)",
    "np.repeat(x,2)",
    "x.repeat(2,axis=1)",
    "np.repeat(x,[1,0,2],axis=0)",
    "np.broadcast_to(x,(2,3,4))",
    "np.delete(x,1,axis=0)",
    "np.delete(x,[0,2],axis=1)",
    "np.resize(x,(5,3))",
    "np.diagonal(x)",
    "x.diagonal(1)",
    "np.diag(x)",
    "np.diag(x,-1)",
    "np.diag(x[0])",
    "np.diag(x[0],1)",
    "np.diagflat(x[:2,:2])",
    "np.tril(x)",
    "np.triu(x,1)",
    "np.take(x,[1,3])",
    "x.take([0,2],axis=1)",
    "np.take_along_axis(x,np.argsort(x,axis=1),axis=1)",
    "np.take(x,5,mode='wrap')",
    "np.concatenate([x,x*2],axis=1)",
    "np.concatenate((x,np.ones((1,4))))",
    "np.concatenate([x,x],axis=None)",
    "np.stack([x,x**2],axis=-1)",
    "np.stack([x,np.zeros((3,4))],1)",
    "np.hstack([x,x])",
    "np.hstack([x[0],x[1,:2]])",
    "np.vstack([x,x[0]])",
    "np.vstack([x[0],x[1]])",
    "np.dstack([x,x])",
    "np.column_stack([x[0],x[1]*2,x.T])",
    "np.block([[x,x],[np.ones((1,4)),x[:1]]])",
    "np.append(x,x[0])",
    "np.append(x,x[:1],axis=0)",
    "np.append(x,3.0)",
    "np.insert(x,1,x[0],axis=0)",
    "np.insert(x[0],[1,2],x[1,:2])",
    "np.insert(x,2,5.0,axis=1)",
    "np.insert(np.arange(4.),1,x[0,0])",
    "np.split(x,3)[1]",
    "np.split(x,[1,3],axis=1)[1]",
    "np.array_split(x[0],3)[0]",
    "np.hsplit(x,2)[1]",
    "np.vsplit(x,3)[2]",
    "np.hsplit(x[0],2)[0]",
    "np.unstack(x,axis=1)[2]",
    "sum(np.split(x[0],4))",
    "np.meshgrid(x[0],x[1])[0]",
    "np.meshgrid(x[0],x[1],indexing='ij')[1]",
    "np.meshgrid(x[0],np.arange(3.),sparse=True)[0]",
    "np.broadcast_arrays(x,x[0])[1]",
    "np.apply_along_axis(lambda r: r*r.sum(),1,x)",
    "np.apply_along_axis(np.sum,0,x)",
    "np.apply_along_axis(lambda r: np.outer(r,r),1,x)",
    "np.apply_along_axis(lambda r:r[:2],0,x)",
    "np.apply_over_axes(np.sum,x,[0,1])",
    "np.vectorize(lambda t:t*t+1)(x)",
    "np.vectorize(np.exp)(x)",
    "np.linspace(x[0,0],x[1,1],5)",
    "np.linspace(0,x[0],4)",
    "np.linspace(x[0],x[1],3,axis=1)",
    "np.linspace(0,x[0,0],4,endpoint=False)",
    "np.logspace(x[0,0],1,4)",
    "np.geomspace(x[0,0]**2,3,4)",
    "np.pad(x,1)",
    "np.pad(x,((1,2),(0,1)),constant_values=2.5)",
    "np.pad(x,1,constant_values=((1,2),(3,4)))",
    "np.pad(x,2,mode='edge')",
    "np.pad(x,2,mode='reflect')",
    "np.pad(x,(1,2),mode='symmetric')",
    "np.pad(x,1,mode='wrap')",
    "np.pad(x,2,mode='linear_ramp')",
    "np.pad(x,2,mode='linear_ramp',end_values=((1,2),(3,4)))",
    "np.pad(x,2,mode='mean')",
    "np.pad(x,2,mode='maximum')",
    "np.pad(x,2,mode='minimum',stat_length=2)",
    "np.pad(x,((0,1),(2,0)),mode='mean',stat_length=((1,2),(2,3)))",
    "np.pad(x,5,mode='reflect')",
    "np.pad(x,1,constant_values=x[0,0])",
    "np.diff(x)",
    "np.diff(x,axis=0)",
    "np.diff(x,n=2)",
    "np.diff(x,prepend=0)",
    "np.diff(x,append=x[:,:1])",
    "np.ediff1d(x)",
    "np.ediff1d(x[0],to_begin=1.0,to_end=x[1])",
    "np.gradient(x[0])",
    "np.gradient(x[0],0.5,edge_order=2)",
    "np.gradient(x,axis=1)",
    "np.gradient(x)[0]",
    "np.gradient(x,2.0,3.0)[1]",
    "np.gradient(x,[0,1,3.],[0,1,3,4.],edge_order=2)[0]",
    "np.gradient(x[0],np.array([0,1,3,3.5]))",
    "np.gradient(np.arange(4.)**2,np.cumsum(x[0]**2+1))",
    "np.trapezoid(x)",
    "np.trapezoid(x,axis=0)",
    "np.trapezoid(x,dx=.1)",
    "np.trapezoid(x,np.array([0,1,3,4.]))",
    "np.trapezoid(np.ones(4),x[0])",
    "np.trapezoid(x,x**2)",
    "np.unwrap(x*5)",
    "np.convolve(x[0],x[1])",
    "np.convolve(x[0],[1.,2.,1.],mode='same')",
    "np.convolve([1.,2,3],x[0],'valid')",
    "np.correlate(x[0],x[1,:2])",
    "np.correlate(x[1,:2],x[0],'full')",
    "np.correlate(x[0],x[1,:3],'same')",
    "np.correlate(x[1,:3],x[0],'same')",
    "np.correlate(x[1,:2],x[0])",
    "np.interp([.5,1.5,2.2],[0,1,2,3.],x[0])",
    "np.interp(x,[-1,0,1.],[1.,3.,2.])",
    "np.interp(x,[-1,0,1.],[1.,3.,2.],left=0,right=x[0,0])",
    "np.interp([.5,1.5,2.2],np.cumsum(x[0]**2),x[1])",
    "np.interp(x[0]*3,[0,1,2.],[1.,2,5],period=3)",
    "x.sum()+x.mean()+x.std()",
    "x.copy()*2",
    "x.astype(float)*2",
    "x.dot(x.T)",
    "x.trace()",
    "x.round(2)+x",
    "x.flat[3]*x",
    "sum(x.flat)",
    "np.array([[x[0,0],-x[0,1]],[x[1,0],1.0]])",
    "np.array([x[0],x[1]*2])",
    "np.array([x[0,0],2,3])",
    "np.asarray(x)*2",
    "np.array(x)*x",
    "np.asanyarray(x)+1",
    "np.array([[x[0,0],-x[0,1]],[x[1,0],1.0]])@np.array([1.,2.])",
    "np.array([x[0],x[1]])@x[0]",
    "np.exp([x[0,0],x[1,1]])",
    "np.sum([x[0,0],x[1,1]])",
    "sum([x[0],x[1]])",
    "max(x[0])",
    "min(x[0,0],x[0,1])",
    "abs(x[0,0])",
    "np.array([r.sum() for r in x])",
    "np.stack([np.sin(a)*b for a,b in zip(x[0],x[1])])",
    "np.copy(x)",
    "np.zeros_like(x)+x",
    "np.ones_like(x)*x",
    "np.full_like(x,2.)*x",
    "np.full_like(x,x[0,0])",
    "np.fix(x)+x",
    "np.max([x[0,0],x[1,1]])",
    "np.prod([x[0,0],x[1,1]])",
    "x.item(0)+x",
]


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_expressions(text):
    right(eval(f"lambda x: {text}", {"np": np}), M)


def test_a_row_of_a_block_matrix_may_be_plain():
    Z, I = np.zeros((2, 2)), np.eye(2)
    right(lambda x: np.block([[x, 3 * Z], [Z, I]]), np.arange(4.0).reshape(2, 2))
    right(lambda x: np.block([[Z, I], [I, x]]), np.arange(4.0).reshape(2, 2))


STRIDED = [
    lambda x: as_strided(x, shape=(4, 3), strides=(x.strides[0], x.strides[0])).sum(1) * x[0],
    lambda x: np.lib.stride_tricks.as_strided(x[::2], (2, 2), (x[::2].strides[0],) * 2) ** 2,
    lambda x: as_strided(x, strides=(0,)) * x,
    lambda x: as_strided(x[::-1], (5, 2), x[::-1].strides * 2) ** 2,
    lambda x: as_strided(x.reshape(2, 3).T, (3, 2), x.reshape(2, 3).T.strides) ** 2,
    lambda x: as_strided(x, (), ()) ** 2,
    lambda x: as_strided(x, (0, 2), (8, 8)).sum() + x,
]


@pytest.mark.parametrize("f", STRIDED)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_as_strided(f, dtype):
    x = np.arange(1, 7).astype(dtype)
    found = trace(f, x).output
    np.testing.assert_array_equal(found, f(x))
    assert found.dtype == dtype
    np.testing.assert_allclose(jacobian(f)(x), numerical_jacobian(f, x.astype(float)), rtol=1e-5, atol=1e-5)


def test_as_strided_beyond_the_entries():
    x = np.arange(6.0)
    with pytest.raises(TracingError, match="beyond the entries"):
        jacobian(lambda x: as_strided(x, (9,)))(x)
    with pytest.raises(TracingError, match="beyond the entries"):
        jacobian(lambda x: as_strided(x, (2,), (4,)))(x)


def test_as_strided_where_it_has_no_stand_in():
    hidden = [as_strided]
    with pytest.raises(TracingError, match="sliding_window_view"):
        jacobian(lambda x: hidden[0](x, (2, 2), (8, 8)))(np.arange(6.0))
