"""The catalogue: what each measure is, what it is divided by, and where it misleads."""

from __future__ import annotations

from dataclasses import dataclass

from rednd_core.smoothness.estimate import Side

_MAD = "Chen et al. 2020, arXiv 1909.03211"
_ENERGY = "Cai and Wang 2020, arXiv 2006.13318; Rusch et al. 2023, arXiv 2303.10993"
_SPHERE = "Wang and Isola 2020, arXiv 2005.10242; DirectAU, arXiv 2206.12811"


@dataclass(frozen=True)
class Measure:
    """One measure as the app explains it.

    Attributes:
        key: its name in tables and settings.
        title: its name on screen.
        formula: LaTeX, without dollar signs.
        denominator: what the value is a mean over, or is divided by.
        bounds: the smallest and largest value (``d`` is the embedding size).
        reading: what the ends of the range mean.
        sides: for which sides it is reported.
        source: where it was defined.
        misleads: why not to read collapse off it on a user-item graph; None where it can be.
        main_panel: whether the overview shows it.
        sampled: whether a sample and its interval stand for all pairs or rows of a large graph.
        needs_graph: whether edges enter: vectors without interactions do not have this measure.
    """

    key: str
    title: str
    formula: str
    denominator: str
    bounds: str
    reading: str
    sides: tuple[Side, ...]
    source: str
    misleads: str | None = None
    main_panel: bool = False
    sampled: bool = False
    needs_graph: bool = False


_CATALOGUE = (
    Measure(
        key="mad",
        title="MAD",
        formula=r"\frac{1}{n(n-1)} \sum_{i \ne j} \bigl(1 - \cos(x_i, x_j)\bigr)",
        denominator="ordered pairs of different nodes of one side",
        bounds="0 to n/(n-1)",
        reading="0: all point the same way; 1: no common direction, as for random vectors",
        sides=("users", "items"),
        source=_MAD,
        main_panel=True,
    ),
    Measure(
        key="effective_rank",
        title="Effective rank",
        formula=r"\exp\Bigl(-\sum_k p_k \log p_k\Bigr), \quad p_k = \sigma_k / \sum_l \sigma_l",
        denominator="singular values of one side's matrix, normalised to sum 1",
        bounds="1 to d",
        reading="1: one direction is left; d: all directions are used equally",
        sides=("users", "items"),
        source="Roy and Vetterli 2007; RankMe, arXiv 2210.02885",
        main_panel=True,
    ),
    Measure(
        key="two_hop_rq",
        title="Two-hop Rayleigh quotient",
        formula=r"\frac{\langle X_s, (I - B B^\top) X_s \rangle}{\lVert X_s \rVert^2}",
        denominator="squared norm of one side's matrix; B is A-hat from that side to the other",
        bounds="0 to 1",
        reading="0: nodes of one side that share neighbours agree, up to the degree's scale",
        sides=("users", "items"),
        source="the Rayleigh quotient (arXiv 2006.13318) on the two-hop graph of one side",
        main_panel=True,
        needs_graph=True,
    ),
    Measure(
        key="uniformity",
        title="Uniformity",
        formula=r"\log \operatorname{mean}_{i \ne j} \exp\bigl(-2 \lVert u_i - u_j \rVert^2\bigr)",
        denominator="pairs of different nodes of one side (sampled)",
        bounds="-8 to 0",
        reading="0: all on one point; about -4: spread over the sphere in many dimensions",
        sides=("users", "items"),
        source=_SPHERE,
        main_panel=True,
        sampled=True,
    ),
    Measure(
        key="madgap",
        title="Same-type MADGap",
        formula=r"\mathrm{MAD}(\text{hop} \ge 6) - \mathrm{MAD}(\text{hop} = 2)",
        denominator="per row its near (remote) nodes of the same side, then the rows that have any",
        bounds="-2 to 2",
        reading="high: close nodes are alike and far ones are not; 0: distance no longer shows",
        sides=("users", "items"),
        source=f"{_MAD}, restricted to pairs of one side",
        main_panel=True,
        sampled=True,
        needs_graph=True,
    ),
    Measure(
        key="edge_mad",
        title="Edge MAD",
        formula=r"\frac{1}{|E|} \sum_{(u,i) \in E} \bigl(1 - \cos(x_u, x_i)\bigr)",
        denominator="train edges, each once",
        bounds="0 to 2",
        reading="0: every user points where the chosen items point",
        sides=("all",),
        source=_MAD,
        needs_graph=True,
    ),
    Measure(
        key="edge_mad_rows",
        title="Edge MAD, mean per node",
        formula=r"\frac{1}{N} \sum_v \frac{1}{d_v} \sum_{w \sim v} \bigl(1 - \cos(x_v, x_w)\bigr)",
        denominator="per node its neighbours, then the nodes: popular items do not dominate",
        bounds="0 to 2",
        reading="0: every node points where its neighbours point",
        sides=("all",),
        source=_MAD,
        needs_graph=True,
    ),
    Measure(
        key="alignment",
        title="Alignment",
        formula=r"\frac{1}{|E|} \sum_{(u,i) \in E} \lVert u_u - u_i \rVert^2",
        denominator="train edges, each once",
        bounds="0 to 4",
        reading="0: users and their items coincide on the sphere; twice the edge MAD",
        sides=("all",),
        source=_SPHERE,
        needs_graph=True,
    ),
    Measure(
        key="numerical_rank",
        title="Numerical rank",
        formula=r"\lVert X_s \rVert_F^2 / \lVert X_s \rVert_2^2",
        denominator="largest squared singular value of one side's matrix",
        bounds="1 to d",
        reading="1: one direction carries everything; less sensitive to weak directions",
        sides=("users", "items"),
        source="arXiv 2502.04591",
    ),
    Measure(
        key="discrepancy",
        title="Node-neighbour discrepancy",
        formula=r"1 - \frac{1}{n} \sum_i \cos\Bigl(x_i^0, \tfrac{1}{k} \sum_{l=1}^{k} x_i^l\Bigr)",
        denominator="nodes of one side",
        bounds="0 to 2",
        reading="0: a node's neighbourhood points where the node itself points; 1: it is unrelated. "
        "The alignment loss compares the same two vectors; defined from layer 1 on",
        sides=("users", "items"),
        source="RedNⁿD, arXiv 2412.18962",
    ),
    Measure(
        key="mad_all",
        title="MAD over all nodes",
        formula=r"\frac{1}{N(N-1)} \sum_{i \ne j} \bigl(1 - \cos(x_i, x_j)\bigr)",
        denominator="ordered pairs of different nodes, users and items together",
        bounds="0 to N/(N-1)",
        reading="0: all point the same way",
        sides=("all",),
        source=_MAD,
        misleads="Users and items collapse onto two different rays, so the distance between the "
        "sides stays in the mean and the value levels off although each side is one point.",
    ),
    Measure(
        key="rayleigh",
        title="Rayleigh quotient",
        formula=r"\frac{\langle X, (I - \hat A) X \rangle}{\lVert X \rVert^2}",
        denominator="squared norm of the whole matrix",
        bounds="0 to 2",
        reading="0: neighbours agree, up to the degree's scale",
        sides=("all",),
        source=_ENERGY,
        misleads="On a bipartite graph A-hat also has the eigenvalue -1: what remains after many "
        "layers is a mix of quotient 0 and quotient 2, so it does not go to 0.",
        needs_graph=True,
    ),
    Measure(
        key="dirichlet",
        title="Dirichlet energy, not divided",
        formula=r"\tfrac12 \sum_{ij} a_{ij} \Bigl\lVert \tfrac{x_i}{\sqrt{d_i}} - "
        r"\tfrac{x_j}{\sqrt{d_j}} \Bigr\rVert^2",
        denominator="none",
        bounds="0 to 2 |X|²",
        reading="0: neighbours agree, or the vectors are short",
        sides=("all",),
        source=_ENERGY,
        misleads="It scales with the squared length of the vectors, and propagation shortens them: "
        "a fall may be shrinkage alone. It also keeps the eigenvalue -1 of a bipartite graph.",
        needs_graph=True,
    ),
    Measure(
        key="madgap_paper",
        title="MADGap, 3 and 8 hops",
        formula=r"\mathrm{MAD}(\text{hop} \ge 8) - \mathrm{MAD}(\text{hop} \le 3)",
        denominator="per row its near (remote) nodes of both sides, then the rows that have any",
        bounds="-2 to 2",
        reading="high: close nodes are alike and far ones are not",
        sides=("all",),
        source=_MAD,
        misleads="In a dense user-item graph hardly any two nodes are 8 hops apart. The remote "
        "pairs are those with an isolated node, whose zero row has cosine 0 with everything: the "
        "value rises during collapse.",
        sampled=True,
        needs_graph=True,
    ),
)

MEASURES: dict[str, Measure] = {measure.key: measure for measure in _CATALOGUE}

EPOCH_MEASURES = ("mad", "effective_rank", "two_hop_rq", "discrepancy")
"""Exact and cheap enough to compute after every epoch of training."""
