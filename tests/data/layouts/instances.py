"""A small data set, written in every layout that people have, as its sources write it."""

from __future__ import annotations

import csv
import gzip
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet

PARTS = ("train", "valid", "test")


@dataclass(frozen=True)
class Row:
    """One interaction; ids are positions in the lists of labels."""

    user: int
    item: int
    rating: int = 1
    time: int = 0
    part: int = 0


@dataclass(frozen=True)
class World:
    """Rows with the labels of users and items, and titles and genres of items."""

    rows: tuple[Row, ...]
    users: tuple[str, ...]
    items: tuple[str, ...]
    titles: tuple[str, ...] = ()
    genres: tuple[tuple[str, ...], ...] = ()

    def cells(self, *columns: str) -> list[list[str]]:
        """Rows as texts: ``user item rating time part word``."""
        made = {
            "user": lambda row: self.users[row.user],
            "item": lambda row: self.items[row.item],
            "rating": lambda row: str(row.rating),
            "time": lambda row: str(row.time),
            "float_time": lambda row: f"{row.time}.0",
            "part": lambda row: str(row.part),
            "one": lambda row: "1",
        }
        return [[made[column](row) for column in columns] for row in self.rows]

    def lists(self, part: int | None = None) -> dict[str, list[str]]:
        """User -> items, in the order of rows; of one part or of all."""
        found: dict[str, list[str]] = {}
        for row in self.rows:
            if part is None or row.part == part:
                found.setdefault(self.users[row.user], []).append(self.items[row.item])
        return found


def separated(
    path: Path, rows: Sequence[Sequence[str]], by: str, header: Sequence[str] = ()
) -> None:
    lines = [header, *rows] if header else rows
    path.write_text("".join(by.join(line) + "\n" for line in lines), encoding="utf-8")


def quoted(
    path: Path,
    rows: Sequence[Sequence[str]],
    header: Sequence[str] = (),
    by: str = ",",
    how: int = 0,
) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=by, quoting=how, lineterminator="\n")
        writer.writerows([header, *rows] if header else rows)


def titles_of(world: World, genres_by: str = "|") -> list[list[str]]:
    return [
        [label, title, genres_by.join(kinds)]
        for label, title, kinds in zip(world.items, world.titles, world.genres, strict=True)
    ]


# Every writer fills an empty folder and gives what is to be named: the folder or a file in it.


def mmrec(world: World, folder: Path) -> Path:
    rows = world.cells("user", "item", "rating", "time", "part")
    names = ("userID", "itemID", "rating", "timestamp", "x_label")
    separated(folder / "set.inter", rows, "\t", names)
    return folder


def mmrec_by_pandas(world: World, folder: Path) -> Path:
    rows = world.cells("user", "item", "rating", "time", "part")
    rows = [[f"{cell}.0" for cell in row] for row in rows]
    separated(
        folder / "set.inter", rows, "\t", ("userID", "itemID", "rating", "timestamp", "x_label")
    )
    return folder


def recbole(world: World, folder: Path) -> Path:
    names = ("user_id:token", "item_id:token", "rating:float", "timestamp:float")
    separated(
        folder / "set.inter", world.cells("user", "item", "rating", "float_time"), "\t", names
    )
    items = [[row[0], row[1], row[2]] for row in titles_of(world, " ")]
    header = ("item_id:token", "movie_title:token_seq", "class:token_seq")
    separated(folder / "set.item", items, "\t", header)
    users = [[user, "F"] for user in world.users]
    separated(folder / "set.user", users, "\t", ("user_id:token", "gender:token"))
    return folder


def recbole_parts(world: World, folder: Path) -> Path:
    names = ("user_id:token", "item_id:token", "timestamp:float")
    rows = world.cells("user", "item", "float_time")
    for number, part in enumerate(PARTS):
        of_part = [r for r, row in zip(rows, world.rows, strict=True) if row.part == number]
        separated(folder / f"set.{part}.inter", of_part, "\t", names)
    return folder


def lightgcn(world: World, folder: Path) -> Path:
    for name, parts in (("train", (0, 1)), ("test", (2,))):
        lists = [world.lists(part) for part in parts]
        lines = [  # a user alone has no items in this part
            " ".join([user, *(i for each in lists for i in each.get(user, []))])
            for user in world.users
        ]
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")
    return folder


def lightgcn_lists(world: World, folder: Path) -> Path:
    """Gowalla and its kind: numbers in the lists, labels in ``item_list.txt`` and ``user_list.txt``."""
    numbers = World(
        world.rows,
        tuple(map(str, range(len(world.users)))),
        tuple(map(str, range(len(world.items)))),
    )
    lightgcn(numbers, folder)
    for kind, labels in (("user", world.users), ("item", world.items)):
        rows = [[label, str(k)] for k, label in enumerate(labels)]
        separated(folder / f"{kind}_list.txt", rows, " ", ("org_id", "remap_id"))
    return folder


def selfrec(world: World, folder: Path) -> Path:
    rows = world.cells("user", "item", "one")
    for name, parts in (("train", (0, 1)), ("test", (2,))):
        of_part = [r for r, row in zip(rows, world.rows, strict=True) if row.part in parts]
        separated(folder / f"{name}.txt", of_part, " ")
    return folder


def lastfm_of_lightgcn(world: World, folder: Path) -> Path:
    rows = world.cells("user", "item", "rating")
    for name, parts in (("data1", (0, 1)), ("test1", (2,))):
        of_part = [r for r, row in zip(rows, world.rows, strict=True) if row.part in parts]
        separated(folder / f"{name}.txt", of_part, "\t")
    return folder


def lattice(world: World, folder: Path) -> Path:
    for number, name in enumerate(("train", "val", "test")):
        (folder / f"{name}.json").write_text(json.dumps(world.lists(number)))
    (folder / "trnMat.pkl").write_bytes(b"\x80\x04never read")
    return folder


def movielens_100k(world: World, folder: Path) -> Path:
    separated(folder / "u.data", world.cells("user", "item", "rating", "time"), "\t")
    words = (
        "unknown Action Adventure Animation Children's Comedy Crime Documentary Drama Fantasy Film-Noir "
        "Horror Musical Mystery Romance Sci-Fi Thriller War Western"
    )
    flags = words.split()
    lines = []
    for item, title, genres in zip(world.items, world.titles, world.genres, strict=True):
        cells = [item, title, "01-Jan-1995", "", "http://x"]
        lines.append("|".join(cells + [str(int(flag in genres)) for flag in flags]))
    (folder / "u.item").write_bytes("\n".join(lines).encode("latin-1"))
    users = [f"{user}|24|M|writer|85711" for user in world.users]
    (folder / "u.user").write_text("\n".join(users))
    (folder / "u.genre").write_text("unknown|0\nAction|1\n")
    (folder / "u1.base").write_text("1\t1\t5\t874965758\n")
    return folder


def movielens_1m(world: World, folder: Path) -> Path:
    separated(folder / "ratings.dat", world.cells("user", "item", "rating", "time"), "::")
    movies = "".join("::".join(row) + "\n" for row in titles_of(world))
    (folder / "movies.dat").write_bytes(movies.encode("latin-1"))
    users = [[user, "F", "1", "10", "48067"] for user in world.users]
    separated(folder / "users.dat", users, "::")
    (folder / "README").write_text("SUMMARY\n=======\n")
    return folder


def movielens_latest(world: World, folder: Path) -> Path:
    names = ("userId", "movieId", "rating", "timestamp")
    quoted(folder / "ratings.csv", world.cells("user", "item", "rating", "time"), names)
    quoted(folder / "movies.csv", titles_of(world), ("movieId", "title", "genres"))
    tags = [[user, world.items[0], "fun", "1"] for user in world.users]
    quoted(folder / "tags.csv", tags, ("userId", "movieId", "tag", "timestamp"))
    links = [[item, "114709", "862"] for item in world.items]
    quoted(folder / "links.csv", links, ("movieId", "imdbId", "tmdbId"))
    (folder / "README.txt").write_text("Summary\n=======\n\nThis data set describes ratings.\n")
    return folder


def movielens_zip(world: World, folder: Path) -> Path:
    inside = folder / "ml-latest-small"
    inside.mkdir()
    movielens_latest(world, inside)
    place = folder / "ml-latest-small.zip"
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(inside.iterdir()):
            archive.write(file, f"ml-latest-small/{file.name}")
    return place


def hetrec(world: World, folder: Path) -> Path:
    rows = world.cells("user", "item", "rating")
    separated(folder / "user_artists.dat", rows, "\t", ("userID", "artistID", "weight"))
    artists = [
        [i, t, "http://a", "http://b"] for i, t in zip(world.items, world.titles, strict=True)
    ]
    separated(folder / "artists.dat", artists, "\t", ("id", "name", "url", "pictureURL"))
    separated(folder / "tags.dat", [["1", "metal"], ["2", "pop"]], "\t", ("tagID", "tagValue"))
    tagged = [[user, world.items[0], "1", "1"] for user in world.users]
    names = ("userID", "artistID", "tagID", "day")
    separated(folder / "user_taggedartists.dat", tagged, "\t", names)
    friends = [[user, friend] for user in world.users for friend in world.users[:2]]
    separated(folder / "user_friends.dat", friends, "\t", ("userID", "friendID"))
    return folder


def amazon_ratings(world: World, folder: Path) -> Path:
    """2014: reviewer, product, rating, time, without a header."""
    quoted(folder / "ratings_Baby.csv", world.cells("user", "item", "rating", "time"))
    return folder


def amazon_2014(world: World, folder: Path) -> Path:
    """Reviews as JSON; metadata as Python literals, with categories as a list of lists."""
    reviews = [
        {
            "reviewerID": u,
            "asin": i,
            "overall": float(r),
            "unixReviewTime": int(t),
            "reviewText": 'a "b"',
        }
        for u, i, r, t in world.cells("user", "item", "rating", "time")
    ]
    with gzip.open(folder / "reviews_Baby_5.json.gz", "wt") as file:
        file.writelines(json.dumps(review) + "\n" for review in reviews)
    with gzip.open(folder / "meta_Baby.json.gz", "wt") as file:
        for item, title, genres in zip(world.items, world.titles, world.genres, strict=True):
            product = {
                "asin": item,
                "title": title,
                "categories": [["Baby", *genres]],
                "price": 3.5,
            }
            file.write(repr(product) + "\n")
    return folder


def amazon_2023(world: World, folder: Path) -> Path:
    reviews = [
        {"rating": float(r), "asin": "other", "parent_asin": i, "user_id": u, "timestamp": int(t)}
        for u, i, r, t in world.cells("user", "item", "rating", "time")
    ]
    (folder / "All_Beauty.jsonl").write_text("".join(json.dumps(each) + "\n" for each in reviews))
    products = [
        {"parent_asin": i, "title": t, "main_category": "All", "categories": list(g),
         "images": [{"thumb": "http://t", "large": "http://l"}], "price": None}
        for i, t, g in zip(world.items, world.titles, world.genres, strict=True)
    ]  # fmt: skip
    lines = "".join(json.dumps(each) + "\n" for each in products)
    (folder / "meta_All_Beauty.jsonl").write_text(lines)
    return folder


def microlens(world: World, folder: Path) -> Path:
    names = ("user", "item", "timestamp")
    quoted(folder / "MicroLens-50k_pairs.csv", world.cells("user", "item", "time"), names)
    lines = [f"{user}\t{' '.join(items)}" for user, items in world.lists().items()]
    (folder / "MicroLens-50k_pairs.tsv").write_text("\n".join(lines) + "\n")
    titles = [[item, title] for item, title in zip(world.items, world.titles, strict=True)]
    quoted(folder / "MicroLens-50k_titles.csv", titles, ("item", "title"))
    return folder


def microlens_lists(world: World, folder: Path) -> Path:
    lines = [f"{user}\t{' '.join(items)}" for user, items in world.lists().items()]
    (folder / "MicroLens-50k_pairs.tsv").write_text("\n".join(lines) + "\n")
    return folder


def yelp(world: World, folder: Path) -> Path:
    reviews = [
        {"review_id": f"r{k}", "user_id": u, "business_id": i, "stars": float(r),
         "date": f"{datetime.fromtimestamp(int(t), UTC):%Y-%m-%d %H:%M:%S}", "text": 'Good, "very" good'}
        for k, (u, i, r, t) in enumerate(world.cells("user", "item", "rating", "time"))
    ]  # fmt: skip
    lines = "".join(json.dumps(each) + "\n" for each in reviews)
    (folder / "yelp_academic_dataset_review.json").write_text(lines)
    businesses = [
        {"business_id": i, "name": t, "categories": ", ".join(g), "stars": 4.0}
        for i, t, g in zip(world.items, world.titles, world.genres, strict=True)
    ]
    lines = "".join(json.dumps(each) + "\n" for each in businesses)
    (folder / "yelp_academic_dataset_business.json").write_text(lines)
    return folder


def book_crossing(world: World, folder: Path) -> Path:
    def lines(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
        cells = [[c.replace('"', '\\"') for c in row] for row in (header, *rows)]
        return "".join(";".join(f'"{c}"' for c in row) + "\n" for row in cells).encode("latin-1")

    rows = world.cells("user", "item", "rating")
    (folder / "BX-Book-Ratings.csv").write_bytes(lines(("User-ID", "ISBN", "Book-Rating"), rows))
    books = [[i, t, "A Writer"] for i, t in zip(world.items, world.titles, strict=True)]
    names = ("ISBN", "Book-Title", "Book-Author")
    (folder / "BX-Books.csv").write_bytes(lines(names, books))
    users = [[user, "berlin, germany", "33"] for user in world.users]
    (folder / "BX-Users.csv").write_bytes(lines(("User-ID", "Location", "Age"), users))
    return folder


def plain(by: str, ending: str, how: int = csv.QUOTE_MINIMAL) -> Callable[[World, Path], Path]:
    def write(world: World, folder: Path) -> Path:
        rows = world.cells("user", "item", "rating", "time", "part")
        names = ("customer", "product_id", "stars", "date", "x_label")
        path = folder / f"log{ending}"
        if by in ",;|":
            quoted(path, rows, names, by, how)
        else:
            separated(path, rows, by, names)
        return path

    return write


def spreadsheet(world: World, folder: Path) -> Path:
    """As Excel saves it where a comma is the decimal sign: a byte order mark, semicolons, CRLF."""
    path = plain(";", ".csv")(world, folder)
    path.write_bytes("\ufeff".encode() + path.read_bytes().replace(b"\n", b"\r\n"))
    return path


def gzipped(world: World, folder: Path) -> Path:
    path = plain(",", ".csv")(world, folder)
    (folder / "log.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    return folder


def zipped(world: World, folder: Path) -> Path:
    path = plain("\t", ".tsv")(world, folder)
    place = folder / "log.zip"
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, "some/where/log.tsv")
    path.unlink()
    return place


def _typed(world: World) -> pa.Table:
    rows = world.cells("user", "item", "rating", "time", "part")
    user, item, rating, time, part = zip(*rows, strict=True)
    return pa.table(
        {
            "visitorid": pa.array(user),
            "track_id": pa.array(item),
            "plays": pa.array(list(map(int, rating))),
            "timestamp": pa.array(list(map(int, time))),
            "x_label": pa.array(list(map(int, part))),
        }
    )


def parquet(world: World, folder: Path) -> Path:
    pa.parquet.write_table(_typed(world), folder / "log.parquet")
    return folder


def feather(world: World, folder: Path) -> Path:
    pa.feather.write_feather(_typed(world), str(folder / "log.feather"))
    return folder


@dataclass(frozen=True)
class Layout:
    """A layout and what of a world survives in it.

    Attributes:
        numbers: ids must be whole numbers; from_zero: and none may be missing.
        plain_ids: ids have no spaces; no_quotes: nor commas, quotes and the like.
        parts: ``all``, ``no validation``, or ``none`` where the file has no parts.
        titles: titles and genres are in it.
    """

    write: Callable[[World, Path], Path]
    parts: str = "none"
    numbers: bool = False
    plain_ids: bool = False
    no_quotes: bool = False
    times: bool = True
    titles: bool = False
    genres: bool = False
    words: tuple[str, ...] = field(default=())


LAYOUTS = {
    "MMRec": Layout(mmrec, "all", words=("MMRec: set.inter",)),
    "MMRec by pandas": Layout(mmrec_by_pandas, "all", numbers=True),
    "RecBole": Layout(recbole, titles=True, genres=True, words=("RecBole: set.inter",)),
    "RecBole in parts": Layout(recbole_parts, "all", words=("set.valid.inter",)),
    "LightGCN": Layout(
        lightgcn,
        "no validation",
        plain_ids=True,
        times=False,
        words=("LightGCN: train.txt and test",),
    ),
    "LightGCN with lists of ids": Layout(
        lightgcn_lists, "no validation", plain_ids=True, times=False
    ),
    "SELFRec": Layout(selfrec, "no validation", plain_ids=True, times=False),
    "Last.fm of LightGCN": Layout(lastfm_of_lightgcn, "no validation", times=False, plain_ids=True),
    "LATTICE": Layout(lattice, "all", times=False, words=("a list of items for every user",)),
    "MovieLens 100k": Layout(
        movielens_100k, titles=True, genres=True, words=("MovieLens: u.data",)
    ),
    "MovieLens 1M": Layout(movielens_1m, titles=True, genres=True, no_quotes=True),
    "MovieLens latest": Layout(movielens_latest, titles=True, genres=True),
    "MovieLens as it is downloaded": Layout(movielens_zip, titles=True, genres=True),
    "HetRec Last.fm": Layout(hetrec, times=False, titles=True),
    "Amazon ratings": Layout(amazon_ratings),
    "Amazon reviews of 2014": Layout(amazon_2014, titles=True, genres=True),
    "Amazon reviews of 2023": Layout(amazon_2023, titles=True, genres=True),
    "MicroLens": Layout(microlens, titles=True),
    "MicroLens lists": Layout(microlens_lists, plain_ids=True, times=False),
    "Yelp": Layout(yelp, titles=True),
    "Book-Crossing": Layout(book_crossing, times=False, titles=True, no_quotes=True),
    "commas": Layout(plain(",", ".csv"), "all"),
    "commas, all quoted": Layout(plain(",", ".csv", csv.QUOTE_ALL), "all"),
    "semicolons": Layout(plain(";", ".csv"), "all"),
    "semicolons, all quoted": Layout(plain(";", ".csv", csv.QUOTE_ALL), "all"),
    "semicolons of a spreadsheet": Layout(spreadsheet, "all"),
    "bars": Layout(plain("|", ".txt"), "all"),
    "bars, all quoted": Layout(plain("|", ".txt", csv.QUOTE_ALL), "all"),
    "tabs": Layout(plain("\t", ".tsv"), "all"),
    "double colons": Layout(plain("::", ".dat"), "all"),
    "gzip": Layout(gzipped, "all"),
    "ZIP": Layout(zipped, "all"),
    "Parquet": Layout(parquet, "all"),
    "Feather": Layout(feather, "all"),
}
