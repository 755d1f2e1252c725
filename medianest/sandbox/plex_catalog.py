"""What stands in Olivia's library from the start: real titles with their real ids."""

from typing import NamedTuple


class FilmEntry(NamedTuple):
    tmdb: int
    title: str
    year: int
    imdb: str
    minutes: int
    rating: float
    content_rating: str
    director: str
    genres: tuple[str, ...]
    summary: str


class ShowEntry(NamedTuple):
    tmdb: int
    title: str
    year: int
    imdb: str
    tvdb: int
    episodes: tuple[int, ...]  # how many episodes each season has here, from season 1
    rating: float
    content_rating: str
    genres: tuple[str, ...]
    summary: str


FILMS = (
    FilmEntry(
        *(603, "The Matrix", 1999, "tt0133093", 136, 8.7, "R", "Lana Wachowski", ("Action", "Science Fiction")),
        summary="A programmer learns that his world is a program, and that he may leave it.",
    ),
    FilmEntry(
        *(27205, "Inception", 2010, "tt1375666", 148, 8.8, "PG-13", "Christopher Nolan", ("Action", "Science Fiction")),
        summary="Thieves who work in dreams are hired to leave something behind.",
    ),
    FilmEntry(
        *(157336, "Interstellar", 2014, "tt0816692", 169, 8.7, "PG-13", "Christopher Nolan", ("Drama", "Adventure")),
        summary="A pilot leaves a dying Earth, and his daughter, to look for another.",
    ),
    FilmEntry(
        *(438631, "Dune", 2021, "tt1160419", 155, 8.0, "PG-13", "Denis Villeneuve", ("Adventure", "Science Fiction")),
        summary="A family is given a desert planet that nobody has ever kept.",
    ),
    FilmEntry(
        *(155, "The Dark Knight", 2008, "tt0468569", 152, 9.1, "PG-13", "Christopher Nolan", ("Action", "Crime")),
        summary="A man with a mask meets a man with a painted face.",
    ),
    FilmEntry(
        *(13, "Forrest Gump", 1994, "tt0109830", 142, 8.8, "PG-13", "Robert Zemeckis", ("Comedy", "Drama")),
        summary="A slow man runs through three fast decades.",
    ),
    FilmEntry(
        *(680, "Pulp Fiction", 1994, "tt0110912", 154, 8.9, "R", "Quentin Tarantino", ("Thriller", "Crime")),
        summary="Two killers, a boxer and a briefcase, in the wrong order.",
    ),
    FilmEntry(
        *(550, "Fight Club", 1999, "tt0137523", 139, 8.8, "R", "David Fincher", ("Drama",)),
        summary="A man who cannot sleep makes a friend nobody may talk about.",
    ),
    FilmEntry(
        *(129, "Spirited Away", 2001, "tt0245429", 125, 8.6, "PG", "Hayao Miyazaki", ("Animation", "Fantasy")),
        summary="A girl works in a bath house for spirits to free her parents.",
    ),
    FilmEntry(
        *(78, "Blade Runner", 1982, "tt0083658", 117, 8.1, "R", "Ridley Scott", ("Science Fiction", "Thriller")),
        summary="A detective hunts people who were made, in the rain.",
    ),
    FilmEntry(
        *(348, "Alien", 1979, "tt0078748", 117, 8.5, "R", "Ridley Scott", ("Horror", "Science Fiction")),
        summary="A crew answers a signal it should have left alone.",
    ),
    FilmEntry(
        *(496243, "Parasite", 2019, "tt6751668", 133, 8.5, "R", "Bong Joon-ho", ("Comedy", "Thriller", "Drama")),
        summary="A poor family moves in with a rich one, a person at a time.",
    ),
    FilmEntry(
        *(862, "Toy Story", 1995, "tt0114709", 81, 8.3, "G", "John Lasseter", ("Animation", "Family")),
        summary="A cowboy doll has to share a shelf with a spaceman.",
    ),
    FilmEntry(
        *(105, "Back to the Future", 1985, "tt0088763", 116, 8.5, "PG", "Robert Zemeckis", ("Adventure", "Comedy")),
        summary="A boy must see to it that his parents meet.",
    ),
)

SHOWS = (
    ShowEntry(
        *(1399, "Game of Thrones", 2011, "tt0944947", 121361, (10, 10), 9.2, "TV-MA", ("Drama", "Fantasy")),
        summary="Nine houses want one chair. Only the first two seasons are here.",
    ),
    ShowEntry(
        *(87108, "Chernobyl", 2019, "tt7366338", 360893, (5,), 9.3, "TV-MA", ("Drama", "History")),
        summary="What happened in reactor four, and who said what about it.",
    ),
    ShowEntry(
        *(67070, "Fleabag", 2016, "tt5687612", 314614, (6, 6), 8.7, "TV-MA", ("Comedy", "Drama")),
        summary="A woman in London tells us more than she tells anyone else.",
    ),
)
