"""Operations on whole arrays: programs in which subscripts, ranges and recurrences have unusual forms, each also as a batch in several blocks."""

import numpy as np
import pytest

import graphlang as gl
from graphlang.graph.graph import ancestors
from graphlang.query import hessian

from test_compile import assert_agrees, assert_same

PROGRAMS = {
    "gather": "data c[4] = [2,1,3,2]\nparam E[3,2] = [[1,2],[3,4],[5,6]]\nJ = sum(E[c[i],k]^2*i for i in 1..4, k in 1..2)\n",
    "gather of gather": "data c[4] = [2,1,3,2]\ndata d[3]=[4,1,2]\nparam E[4] = [1,2,3,4]\nJ = sum(E[d[c[i]]]^2*i for i in 1..4)\n",
    "gather rows": "data c[4] = [2,1,3,2]\nparam E[3,2] = [[1,2],[3,4],[5,6]]\nh[i,k] = tanh(E[c[i],k]) for i in 1..4, k in 1..2\nJ = sum(h[i,k]*h[5-i,k] for i in 1..4, k in 1..2)\n",
    "gather by two tables": "data c[3] = [2,1,2]\ndata d[3]=[1,1,2]\nparam E[2,2] = [[1,2],[3,4]]\nJ = sum(exp(E[c[i],d[i]]/5) for i in 1..3)\n",
    "gather by onehot": "data c = 2\nparam W[3,2] = [[1,2],[3,4],[5,6]]\ninput x[2]=[.1,.2]\ns[k]=sum(W[k,i]*x[i] for i in 1..2) for k in 1..3\nJ = logsumexp(s[k] for k in 1..3) - s[c]\n",
    "gather twice": "data c[3]=[0,5,2]\nparam E[0..5]=[1,2,3,4,5,6]\nJ=sum(E[c[i]]*E[c[4-i]] for i in 1..3)\n",
    "recurrence that gathers": "data c[4]=[2,1,3,2]\nparam E[3]=[.1,.2,.3]\nh[0]=0\nh[k]=tanh(h[k-1]+E[c[k]]) for k in 1..4\nJ=h[4]^2\n",
    "counts": "data c[5]=[1,2,2,3,1]\nparam w[3]=[1,2,3]\nn_[k]=sum(where(c[i]==k,1,0) for i in 1..5) for k in 1..3\nm_[k]=sum((c[i]==k)*w[c[i]] for i in 1..5) for k in 1..3\nJ=sum(n_[k]*w[k]^2+m_[k]^2 for k in 1..3)\n",
    "ragged": "input x[5] = [1,2,3,4,5]\nJ = sum(x[i]*x[j] for i in 1..5, j in i+1..5)\n",
    "ragged max": "input x[5] = [1,7,3,4,5]\ny[i] = max(x[j] for j in 1..i) for i in 1..5\nz[i]=prod(x[j] for j in i..5) for i in 1..5\nJ = sum(y[i]*z[i] for i in 1..5)\n",
    "ragged mean": "input x[5] = [1,7,3,4,5]\ny[i] = mean(x[j] for j in 1..i) + std(x[j] for j in 1..i)+norm(x[j] for j in 1..i) for i in 2..5\ny[1]=0\nJ = sum(y[i]^2 for i in 1..5)\n",
    "ragged 3": "input x[4] = [1,2,3,4]\nJ = sum(x[i]*x[j]*x[k] for i in 1..4, j in i+1..4, k in j+1..4)\n",
    "strided": "input x[6] = [1,2,3,4,5,6]\ny[i] = x[2*i-1]*x[2*i] for i in 1..3\nJ = sum(y[i]^2 for i in 1..3)\n",
    "reversed stride": "input x[0..6] = [1,2,3,4,5,6,7]\ny[i]=sin(x[6-2*i])*x[i] for i in 0..3\nJ = sum(y)\n",
    "negative ranges": "input x[-2..2] = [1,2,3,4,5]\ny[i]=x[-i]*x[i]*i for i in -2..2\nJ = sum(y)\n",
    "diagonal off": "param A[3,3] = [[1,2,3],[4,5,6],[7,8,9]]\nJ = sum(A[i,i+1]^2*A[i+1,i] for i in 1..2)\n",
    "diagonal 3": "param A[2,2,2] = [[[1,2],[3,4]],[[5,6],[7,8]]]\nJ = sum(A[i,i,i]^2 + A[i,j,i] for i in 1..2, j in 1..2)\n",
    "square diag": "param A[3,3]=[[1,2,3],[4,5,6],[7,8,9]]\nd=diag(A)\nB=A*A.T\nJ=sum(d^2)+sum(B)+trace(A@A)\n",
    "empty range": "const n = 0\ninput x[1..n] = 1, z=2\nJ = z*sum(x[i]^2 for i in 1..n) + z + prod(x[i] for i in 1..n)\n",
    "empty equation": "const n = 0\ninput z=2\ninput x[2]=[1,2]\ny[i] = x[i]*z for i in 1..n\nJ = sum(y[i] for i in 1..n) + z\n",
    "matrix without columns": "const n=0\ninput x[2,1..n]=1, z=2\ny[i]=sum(x[i,j] for j in 1..n)+z for i in 1..2\nJ=sum(y^2)\n",
    "matrix without rows": "const n=0\ninput w[1..n,2]=1, z[2]=2\ny[i]=sum(w[i,j]*z[j] for j in 1..2) for i in 1..n\nu[j]=sum(y[i]*w[i,j] for i in 1..n) for j in 1..2\nJ=sum(u[j]*z[j]+z[j] for j in 1..2)\n",
    "ranges of one element": "input x[1,3,1] = [[[1],[2],[3]]]\nparam w[3,1]=[[1],[2],[3]]\ny[i,j] = sum(x[i,k,j]*w[k,l] for k in 1..3, l in 1..1) for i in 1..1, j in 1..1\nJ = y[1,1]^2\n",
    "convolution": "input x[8] = [1,2,3,4,5,6,7,8]\nparam w[0..2] = [0.1,0.2,0.3]\ny[i] = tanh(sum(w[k]*x[i+k] for k in 0..2)) for i in 1..6\nJ = sum(y[i]^2 for i in 1..6)\n",
    "convolution of two dimensions": "input x[4,4] = [[1,2,3,4],[5,6,7,8],[1,3,2,4],[4,3,2,1]]\nparam w[0..1,0..1,2] = [[[0.1,.2],[.2,.3]],[[.3,.1],[0.1,0.4]]]\ny[i,j,c] = relu(sum(w[k,l,c]*x[i+k,j+l] for k in 0..1, l in 0..1)) for i in 1..3, j in 1..3, c in 1..2\nJ = sum(y[i,j,c]^2 for i in 1..3, j in 1..3, c in 1..2)\n",
    "padded convolution": "input x[5] = [1,2,3,4,5]\nparam w[0..2] = [0.1,0.2,0.3]\ny[i] = sum(where(i+k-1 >= 1, where(i+k-1 <= 5, 1, 0), 0)*w[k]*i for k in 0..2) for i in 1..5\nJ=sum(y)+sum(x)\n",
    "pooling": "input x[8] = [1,9,3,4,5,6,7,2]\ny[i] = max(x[2*i-1+k] for k in 0..1) for i in 1..4\nJ = sum(y[i]*i for i in 1..4)\n",
    "recurrent layer": "input x[5,2] = [[1,2],[3,4],[1,0],[2,1],[0,1]]\nparam U[2,2]=[[.1,.2],[.3,.4]], V[2,2]=[[.2,.1],[.1,-.3]]\nh[0,k]=0 for k in 1..2\nh[t,k]=tanh(sum(U[k,l]*h[t-1,l] for l in 1..2)+sum(V[k,l]*x[t,l] for l in 1..2)) for t in 1..5, k in 1..2\nJ=sum(h[5,k]^2 for k in 1..2)+sum(h[t,1] for t in 1..5)\n",
    "recurrence of two dimensions": "input a=.3, b=.4\nc[0,j]=1 for j in 0..4\nc[i,0]=2 for i in 1..4\nc[i,j]=tanh(a*c[i-1,j]+b*c[i,j-1]+c[i-1,j-1]/3) for i in 1..4, j in 1..4\nJ=c[4,4]+sum(c[i,i] for i in 1..4)\n",
    "recurrence from the end": "input x[5]=[1,2,3,4,5]\nparam w=.5\nb[6]=0\nb[t]=tanh(w*b[t+1]+x[t]) for t in 1..5\nJ=sum(b[t]*t for t in 1..6)\n",
    "recurrences of two tables": "input x=.5\na[0]=x\nb[0]=x^2\na[k]=sin(b[k-1])+x*k for k in 1..4\nb[k]=cos(a[k])*a[k-1] for k in 1..4\nJ=sum(a[k]*b[k] for k in 0..4)\n",
    "recurrence that sums all before": "input x=.5\na[0]=x\na[k]=sin(sum(a[j]*x for j in 0..k-1)) for k in 1..5\nJ=a[5]\n",
    "recurrence of no step": "const n=0\ninput w=2\nh[0]=w\nh[k]=tanh(h[k-1]*w) for k in 1..n\nJ=h[n]^2\n",
    "recurrence of one step": "const n=1\ninput w=2\nh[0]=w\nh[k]=tanh(h[k-1]*w) for k in 1..n\nJ=h[n]^2\n",
    "lstm": "input x[3]=[.1,.2,.3]\nparam w[4]=[.1,.2,.3,.4], u[4]=[.4,.3,.2,.1]\nh[0]=0\nc[0]=0\ni_[t]=sigmoid(w[1]*x[t]+u[1]*h[t-1]) for t in 1..3\nf_[t]=sigmoid(w[2]*x[t]+u[2]*h[t-1]) for t in 1..3\no_[t]=sigmoid(w[3]*x[t]+u[3]*h[t-1]) for t in 1..3\ng_[t]=tanh(w[4]*x[t]+u[4]*h[t-1]) for t in 1..3\nc[t]=f_[t]*c[t-1]+i_[t]*g_[t] for t in 1..3\nh[t]=o_[t]*tanh(c[t]) for t in 1..3\nJ=h[3]^2\n",
    "consts in subscripts": "const k = 2\ninput x[5]=[1,2,3,4,5]\nJ=x[k]*x[2*k+1]+sum(x[k*i-1] for i in 1..3)\n",
    "element goal": "input x[4]=[1,2,3,4]\ny[i]=x[i]*x[5-i]+x[2] for i in 1..4\noutput y[2], y[4]\n",
    "element goal rec": "input x=.5\ny[0]=x\ny[i]=sin(y[i-1])*i for i in 1..4\noutput y[3], y[1], y[4]\n",
    "table goal": "input A[2,2]=[[1,2],[3,4]]\nY = A @ A\noutput Y\n",
    "leaf goal": "input x[2]=[1,2], z=3\noutput x[2]\ny=x[1]*z\n",
    "goal the same along a range": "input x=2, z[2]=[1,2]\ny[i,j]=z[i]*2 for i in 1..2, j in 1..3\noutput y[2,3]\n",
    "constant table": "input x=2, z[2]=[1,2]\ny[i]=i*2 for i in 1..3\nJ=sum(y[i] for i in 1..3)+0*x\noutput J, y[2]\n",
    "constant goal": "input x=2, z[2]=[1,2]\nJ=2*3\nminimize J\n",
    "pieces": "input x[4]=[1,2,3,4]\nz[0]=1\nz[1]=x[2]\nz[j]=x[j]*x[j-1] for j in 2..4\nJ=sum(z[j]^2 for j in 0..4)\n",
    "nan": "input x[3]=[1,-1,0]\ny[i]=log(x[i]) for i in 1..3\nJ=sum(y[i] for i in 1..3)\n",
    "zero times infinity": "input x[3]=[1,2,0], z=0\ny[i]=1/x[i] for i in 1..3\nJ=z*sum(y[i] for i in 1..3)+x[1]\n",
    "where guard": "input x[3]=[1,-2,0]\ny[i]=where(x[i]>0, log(x[i]), x[i]^2) for i in 1..3\nJ=sum(y)\n",
    "nan in a matrix product": "input x[3]=[1,nan,2]\nparam W[2,3]=[[1,0,2],[3,4,5]]\ny=W@x\nJ=sum(where(y>0,y,0))\n",
    "logsumexp inf": "input x[3]=[-inf,0,1]\nJ=logsumexp(x)+max(x)\n",
    "attention": "input X[3,2]=[[1,2],[3,4],[0,1]]\nparam Q[2,2]=[[.1,.2],[.3,.4]]\nS[i,j]=sum(X[i,a]*Q[a,b]*X[j,b] for a in 1..2,b in 1..2) for i in 1..3,j in 1..3\nA[i,j]=exp(S[i,j]-logsumexp(S[i,k] for k in 1..3)) for i in 1..3,j in 1..3\nO[i,a]=sum(A[i,j]*X[j,a] for j in 1..3) for i in 1..3,a in 1..2\nJ=sum(O[i,a]^2 for i in 1..3,a in 1..2)\n",
    "causal": "input X[3,2]=[[1,2],[3,4],[0,1]]\nS[i,j]=sum(X[i,a]*X[j,a] for a in 1..2) for i in 1..3,j in 1..3\nL[i]=logsumexp(S[i,k] for k in 1..i) for i in 1..3\nO[i,a]=sum(exp(S[i,j]-L[i])*X[j,a] for j in 1..i) for i in 1..3,a in 1..2\nJ=sum(O[i,a]^2 for i in 1..3,a in 1..2)\n",
    "linear": "param A[2,2]=[[3,1],[1,2]]\ninput b[2]=[1,2]\nx=solve(A,b)\nJ=sum(x^2)+det(A)+slogdet(A)+trace(inv(A)@A@inv(A))\n",
    "index value": "input x=2\nJ=sum(x^i*i for i in 0..4)+sum(i*j for i in 1..3,j in 1..2)\n",
    "pick": "input x=2\ny=[x,x^2,3]\nJ=sum(y[i]*i for i in 1..3)\n",
    "tensor": "param T[2,3,2]=.3\ninput x[3]=[1,2,3]\ny[a,b]=sum(T[a,j,b]*x[j] for j in 1..3) for a in 1..2,b in 1..2\nz[b,a]=y[a,b]*y[b,a] for a in 1..2,b in 1..2\nJ=sum(z[b,a]*b for a in 1..2,b in 1..2)\n",
    "batch of matrices": "input A[2,2,3]=.5, B[2,3,2]=.25\nC[n,i,j]=sum(A[n,i,k]*B[n,k,j] for k in 1..3) for n in 1..2,i in 1..2,j in 1..2\nJ=sum(C[n,i,j]^2*n for n in 1..2,i in 1..2,j in 1..2)\n",
    "permuted subscripts": "input A[2,3,4]=.5\nB[k,i,j]=A[i,j,k]*i+k for i in 1..2,j in 1..3,k in 1..4\nC[i,j]=sum(B[k,i,j]*A[i,j,k] for k in 1..4) for i in 1..2,j in 1..3\nJ=sum(C)\n",
    "long product": "param A[2,3]=1,B[3,4]=.5,C[4,2]=.2\nJ=sum(A[i,j]*B[j,k]*C[k,i] for i in 1..2,j in 1..3,k in 1..4)\n",
    "shift add": "input x[5]=[1,2,3,4,5]\ny[i]=x[i+1]-x[i] for i in 1..4\nz[i]=y[i+1]-y[i] for i in 1..3\nJ=sum(z[i]^2 for i in 1..3)+sum(y[i]^2 for i in 1..4)\n",
    "copy out": "input x[3]=[1,2,3]\ny=x\nz=y\nJ=sum(z)+sum(y)+sum(x)\n",
    "large arguments": "input x[3]=[800,-800,30]\nJ=sum(sigmoid(x[i])+softplus(x[i])+log_sigmoid(x[i])+tanh(x[i])+silu(x[i])+gelu(x[i])+elu(x[i]) for i in 1..3)\n",
    "kinks": "input x[4]=[0,0,1,-1]\nJ=sum(relu(x[i])+abs(x[i])+sign(x[i])+x[i]^2+xlogy(x[i]^2,x[i]^2)+atan2(x[i],1)+hypot(x[i],1)+clip(x[i],-.5,.5)+mod(x[i],3)+floor(x[i]) for i in 1..4)\n",
}
each_program = pytest.mark.parametrize("text", PROGRAMS.values(), ids=PROGRAMS)


def leaves(program, goal, names):
    needed = ancestors(program.graph, {goal.name}) | set(names)
    return [n for n, v in program.graph.variables.items() if v.is_leaf and v.role != "const" and n in needed]


def points(run, names):
    """Three of each leaf; data, which may be subscripts, three times the same."""
    return {n: np.stack([run.array(n).astype(float) * (1.0 if run.graph.variables[n].role == "data" else s) for s in (1.0, 0.7, 1.3)]) for n in names}


@each_program
def test_whole_arrays_have_the_numbers_of_a_run(text):
    assert_agrees(gl.loads(text), "numpy")


@each_program
def test_a_batch_is_its_examples_one_by_one_in_however_many_blocks(text, monkeypatch):
    monkeypatch.setattr("graphlang.compiled_arrays.block_size", lambda graph, many: 2)
    program = gl.loads(text)
    run = program.run(ieee=True)
    goal, names = run.passes[-1].goal, [n for n in run.adjoints if n.isidentifier()]
    f, inputs = program.compile(names, engine="numpy", goal=str(goal)), leaves(program, goal, names)
    for along in (inputs, inputs[:1]):
        if not along or all(run.graph.variables[n].size == 0 for n in along):
            continue
        given = points(run, along)
        values, gradients = f(**given)
        for k in range(3):
            value, gradient = f(**{n: v[k] for n, v in given.items()})
            assert_same(float(values[k]), float(value), f"example {k} of {along}")
            for n in names:
                assert_same(gradients[n][k].tolist(), gradient[n].tolist(), f"d{goal}/d{n} of example {k}")


@each_program
def test_what_a_call_gives_is_the_callers_own_and_what_it_takes_stays_as_it_is(text):
    program = gl.loads(text)
    run = program.run(ieee=True)
    goal, names = run.passes[0].goal, [n for n in run.adjoints if n.isidentifier()]
    f, inputs = program.compile(names, engine="numpy", goal=str(goal)), leaves(program, goal, names)
    given = {n: run.array(n).astype(float) for n in inputs}
    before = {n: v.copy() for n, v in given.items()}
    _, gradients = f(**given)
    kept = {n: g.copy() for n, g in gradients.items()}
    f(**{n: v if run.graph.variables[n].role == "data" else v * 1.5 + 0.1 for n, v in given.items()})
    assert all(np.array_equal(given[n], before[n], equal_nan=True) for n in given)
    assert all(np.array_equal(gradients[n], kept[n], equal_nan=True) for n in names)
    arrays = [*(g for g in gradients.values() if g.ndim and g.size), *given.values()]
    assert not any(np.shares_memory(a, b) for k, a in enumerate(arrays) for b in arrays[:k])


def test_where_a_block_would_be_too_large_examples_go_one_by_one(monkeypatch):
    monkeypatch.setattr("graphlang.engines.dense.MOST_ELEMENTS", 30)
    f = gl.loads("input x[5] = [1, 2, 3, 4, 5]\nJ = sum(exp(x[i]*x[j]/9) for i in 1..5, j in 1..5)\n").compile(["x"], engine="numpy")
    batch = np.arange(20.0).reshape(4, 5) / 9
    values, gradients = f(x=batch)
    for k in range(4):
        value, gradient = f(x=batch[k])
        assert values[k] == value and gradients["x"][k].tolist() == gradient["x"].tolist()
    monkeypatch.setattr("graphlang.engines.dense.MOST_ELEMENTS", 20)
    with pytest.raises(gl.GraphError, match="E902"):
        f.hessian()


def test_a_function_without_code_for_arrays_is_told_when_it_is_asked_for(monkeypatch):
    from graphlang.engines.dense import Program
    from graphlang.engines.unsupported import Unsupported

    f = gl.loads("input x = 2\nJ = x^3\n").compile(["x"], engine="python")
    monkeypatch.setattr(Program, "run", lambda self, names: (_ for _ in ()).throw(Unsupported("`some`")))
    for ask in (f.hessian, f.jacobian, lambda: f.jvp({"x": 1.0})):
        with pytest.raises(gl.UsageError, match="there is no code by whole arrays for `some`"):
            ask()


def test_second_derivatives_over_an_empty_table():
    program = gl.loads(PROGRAMS["empty equation"])
    assert [flat for flat, _ in hessian(program.run(), ["x", "z"]).values()] == [[0.0] * 4, [0.0] * 2, [0.0] * 2, [0.0]]
    assert program.compile(["x", "z"], engine="numpy").hessian() == {"x": {"x": [[0.0, 0.0], [0.0, 0.0]], "z": [0.0, 0.0]}, "z": {"x": [0.0, 0.0], "z": 0.0}}
