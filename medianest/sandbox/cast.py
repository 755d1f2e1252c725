"""Who and what all stand-ins agree on: the people who have a Plex account, and the films and series there are.

Some eighty films and twenty series with their real ids, titles and years. The real programs ask TMDB; ratings,
popularity, picture paths and the day and month of a release are made up here. The people are nobody.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Kind = Literal["movie", "tv"]  # as TMDB and Seerr say it
MOVIES, SHOWS, VIDEOS = "1", "2", "3"  # section keys are strings on the wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A Plex account. `sections` are the libraries shared with it: none means no access to the server."""

    name: str
    title: str
    plex_id: int
    uuid: str
    email: str = field(repr=False)
    account_token: str = field(repr=False)  # opens plex.tv; of the owner also the server
    server_token: str = field(repr=False)  # opens the server, as long as there is a share
    sections: frozenset[str]
    owner: bool = False
    hint: str = ""  # what the link page says about them


OLIVIA = Person(
    name="olivia",
    title="Olivia",
    plex_id=1001,
    uuid="0a1b2c3d4e5f6071",
    email="olivia@sandbox.example",
    account_token="sandbox-account-olivia",
    server_token="sandbox-server-olivia",
    sections=frozenset({MOVIES, SHOWS, VIDEOS}),
    owner=True,
    hint="owns the server",
)
ANNA = Person(
    name="anna",
    title="Anna",
    plex_id=1002,
    uuid="1b2c3d4e5f607182",
    email="anna@sandbox.example",
    account_token="sandbox-account-anna",
    server_token="sandbox-server-anna",
    sections=frozenset({MOVIES, SHOWS, VIDEOS}),
    hint="a friend who sees everything",
)
BEN = Person(
    name="ben",
    title="Ben",
    plex_id=1003,
    uuid="2c3d4e5f60718293",
    email="ben@sandbox.example",
    account_token="sandbox-account-ben",
    server_token="sandbox-server-ben",
    sections=frozenset({MOVIES, VIDEOS}),
    hint="a friend who does not see the shows",
)
SAM = Person(
    name="sam",
    title="Sam",
    plex_id=1004,
    uuid="3d4e5f60718293a4",
    email="sam@sandbox.example",
    account_token="sandbox-account-sam",
    server_token="sandbox-server-sam",
    sections=frozenset(),
    hint="a stranger without the share",
)

CAST = (OLIVIA, ANNA, BEN, SAM)


def friend(number: int) -> Person:
    """One more friend who sees everything, for whoever needs many."""
    return Person(
        name=f"friend-{number}",
        title=f"Friend {number}",
        plex_id=2000 + number,
        uuid=f"f{number:015x}",
        email=f"friend-{number}@sandbox.example",
        account_token=f"sandbox-account-friend-{number}",
        server_token=f"sandbox-server-friend-{number}",
        sections=frozenset({MOVIES, SHOWS, VIDEOS}),
        hint="one of many friends",
    )


GENRES = {
    "Action": 28,
    "Adventure": 12,
    "Animation": 16,
    "Comedy": 35,
    "Crime": 80,
    "Documentary": 99,
    "Drama": 18,
    "Family": 10751,
    "Fantasy": 14,
    "History": 36,
    "Horror": 27,
    "Music": 10402,
    "Mystery": 9648,
    "Romance": 10749,
    "Science Fiction": 878,
    "Thriller": 53,
    "War": 10752,
}


class Title(NamedTuple):
    """A film or a series. `seasons` holds how many episodes each season has, by its number; 0 are the specials."""

    kind: Kind
    tmdb: int
    title: str
    year: int
    imdb: str
    tvdb: int | None  # None for films
    minutes: int  # of the film, or of one episode
    genres: tuple[str, ...]
    overview: str
    seasons: dict[int, int]

    @property
    def released(self) -> str:
        return f"{self.year}-{1 + self.tmdb % 12:02}-{1 + self.tmdb % 28:02}"

    @property
    def poster(self) -> str:
        return f"/{self.tmdb}.jpg"

    @property
    def backdrop(self) -> str:
        return f"/{self.tmdb}b.jpg"

    @property
    def rating(self) -> float:
        return 6.8 + self.tmdb % 23 / 10

    @property
    def popularity(self) -> float:
        return 20 + self.tmdb * 7919 % 8000 / 100

    @property
    def genre_ids(self) -> list[int]:
        return [GENRES[name] for name in self.genres]

    def regular_seasons(self, *, specials: bool = False) -> list[int]:
        return [number for number in self.seasons if number or specials]


def find_title(kind: str, tmdb: int) -> Title | None:
    return _BY_ID.get((kind, tmdb))


_FILMS = """
603|1999|tt0133093|136|The Matrix|Action, Science Fiction|An office worker with a double life learns that his world is a program, and that he may leave it.
604|2003|tt0234215|138|The Matrix Reloaded|Action, Science Fiction|Those who woke up have 72 hours until the machines reach their last city.
605|2003|tt0242653|129|The Matrix Revolutions|Action, Science Fiction|The war ends where it was never meant to: in a talk between two who do not sleep.
624860|2021|tt10838180|148|The Matrix Resurrections|Action, Science Fiction|A designer of games keeps dreaming of a life he thinks he invented.
27205|2010|tt1375666|148|Inception|Action, Science Fiction|Thieves who work in dreams are hired to leave something behind.
157336|2014|tt0816692|169|Interstellar|Adventure, Drama, Science Fiction|A pilot leaves a dying Earth, and his daughter, to look for another.
155|2008|tt0468569|152|The Dark Knight|Action, Crime, Drama|A man with a mask meets a man with a painted face.
272|2005|tt0372784|140|Batman Begins|Action, Crime, Drama|An heir learns to be afraid of nothing and comes home to a city that fears everything.
49026|2012|tt1345836|165|The Dark Knight Rises|Action, Crime, Thriller|Eight years of peace, bought with a lie, come to an end under the streets.
438631|2021|tt1160419|155|Dune|Adventure, Science Fiction|A family is given a desert planet that nobody has ever kept.
693134|2024|tt15239678|167|Dune: Part Two|Adventure, Science Fiction|The heir hides among the people of the sand, who take him for a prophet.
841|1984|tt0087182|137|Dune|Adventure, Science Fiction|The same desert and the same worms, forty years earlier and stranger.
13|1994|tt0109830|142|Forrest Gump|Comedy, Drama, Romance|A slow man runs through three fast decades.
680|1994|tt0110912|154|Pulp Fiction|Crime, Thriller|Two killers, a boxer and a briefcase, in the wrong order.
550|1999|tt0137523|139|Fight Club|Drama, Thriller|A man who cannot sleep makes a friend nobody may talk about.
129|2001|tt0245429|125|Spirited Away|Animation, Family, Fantasy|A girl works in a bath house for spirits to free her parents.
128|1997|tt0119698|134|Princess Mononoke|Adventure, Animation, Fantasy|A cursed prince stands between an iron town and the forest it eats.
4935|2004|tt0347149|119|Howl's Moving Castle|Adventure, Animation, Fantasy|A hat maker turned ninety keeps house for a vain wizard.
8392|1988|tt0096283|86|My Neighbor Totoro|Animation, Family, Fantasy|Two sisters move to the country and meet who lives in the big tree.
78|1982|tt0083658|117|Blade Runner|Drama, Science Fiction, Thriller|A detective hunts people who were made, in the rain.
335984|2017|tt1856101|164|Blade Runner 2049|Drama, Science Fiction|A made man digs up bones that should not exist.
348|1979|tt0078748|117|Alien|Horror, Science Fiction|A crew answers a signal it should have left alone.
679|1986|tt0090605|137|Aliens|Action, Science Fiction, Thriller|She goes back, this time with soldiers. It does not help.
496243|2019|tt6751668|133|Parasite|Comedy, Drama, Thriller|A poor family moves in with a rich one, a person at a time.
862|1995|tt0114709|81|Toy Story|Animation, Comedy, Family|A cowboy doll has to share a shelf with a spaceman.
863|1999|tt0120363|92|Toy Story 2|Animation, Comedy, Family|The cowboy turns out to be worth something, to the wrong man.
10193|2010|tt0435761|103|Toy Story 3|Animation, Comedy, Family|What toys do when their boy has grown up.
105|1985|tt0088763|116|Back to the Future|Adventure, Comedy, Science Fiction|A boy must see to it that his parents meet.
165|1989|tt0096874|108|Back to the Future Part II|Adventure, Comedy, Science Fiction|Forwards to mend tomorrow, backwards to mend the mending.
196|1990|tt0099088|118|Back to the Future Part III|Adventure, Comedy, Science Fiction|The same car, now drawn by horses.
278|1994|tt0111161|142|The Shawshank Redemption|Crime, Drama|A banker sits in prison, patiently.
238|1972|tt0068646|175|The Godfather|Crime, Drama|A family firm changes hands.
240|1974|tt0071562|202|The Godfather Part II|Crime, Drama|How the father came up, and how far the son goes down.
424|1993|tt0108052|195|Schindler's List|Drama, History, War|A man who came to make money writes names on a list.
389|1957|tt0050083|97|12 Angry Men|Drama|Eleven are sure. One would like to talk about it.
120|2001|tt0120737|179|The Lord of the Rings: The Fellowship of the Ring|Action, Adventure, Fantasy|Nine set out to throw away a ring.
121|2002|tt0167261|179|The Lord of the Rings: The Two Towers|Action, Adventure, Fantasy|The nine are scattered, and a wall is all that holds.
122|2003|tt0167260|201|The Lord of the Rings: The Return of the King|Action, Adventure, Fantasy|The ring arrives, and so does everybody else.
11|1977|tt0076759|121|Star Wars|Action, Adventure, Science Fiction|A farm boy buys two robots with a message in them.
1891|1980|tt0080684|124|The Empire Strikes Back|Action, Adventure, Science Fiction|It gets colder, and then a father is mentioned.
1892|1983|tt0086190|132|Return of the Jedi|Action, Adventure, Science Fiction|A second moon that is none, and the bears who live below it.
329|1993|tt0107290|127|Jurassic Park|Adventure, Science Fiction|A park opens too early.
597|1997|tt0120338|194|Titanic|Drama, Romance|Two people meet on a ship everybody knows.
19995|2009|tt0499549|162|Avatar|Action, Adventure, Science Fiction|A soldier borrows a body and would rather keep it.
76341|2015|tt1392190|120|Mad Max: Fury Road|Action, Adventure, Science Fiction|There, and back again, at full speed.
329865|2016|tt2543164|116|Arrival|Drama, Mystery, Science Fiction|A linguist learns a language that has no before and after.
264660|2015|tt0470752|108|Ex Machina|Drama, Science Fiction|A programmer is asked whether she thinks. She has questions too.
152601|2013|tt1798709|126|Her|Drama, Romance, Science Fiction|A man falls in love with the voice that sorts his letters.
37165|1998|tt0120382|103|The Truman Show|Comedy, Drama|A man notices that it rains on him alone.
194|2001|tt0211915|122|Amélie|Comedy, Romance|A waitress in Paris sets other people's lives right, from a distance.
274|1991|tt0102926|119|The Silence of the Lambs|Crime, Drama, Thriller|To find one killer she asks another.
807|1995|tt0114369|127|Se7en|Crime, Mystery, Thriller|Seven sins, a week, and a parcel.
539|1960|tt0054215|109|Psycho|Horror, Mystery, Thriller|A motel off the main road, run by a boy and his mother.
62|1968|tt0062622|149|2001: A Space Odyssey|Adventure, Mystery, Science Fiction|A stone, a bone, a ship, and a computer that is sorry.
694|1980|tt0081505|144|The Shining|Horror, Thriller|A writer looks after an empty hotel, and it after him.
510|1975|tt0073486|133|One Flew Over the Cuckoo's Nest|Drama|A man who is not mad brings a ward to its senses.
769|1990|tt0099685|145|GoodFellas|Crime, Drama|As far back as he can remember he wanted to belong.
101|1994|tt0110413|111|Léon: The Professional|Action, Crime, Drama|A killer, a girl, a plant.
98|2000|tt0172495|155|Gladiator|Action, Adventure, Drama|A general is sold as a slave and works his way back to Rome.
1124|2006|tt0482571|130|The Prestige|Drama, Mystery, Thriller|Two magicians each want the other's last trick.
77|2000|tt0209144|113|Memento|Mystery, Thriller|A man without memory writes on himself whom to trust.
872585|2023|tt15398776|181|Oppenheimer|Drama, History|The one who built it, before and after.
346698|2023|tt1517268|114|Barbie|Adventure, Comedy, Fantasy|A perfect doll has a thought about death.
545611|2022|tt6710474|140|Everything Everywhere All at Once|Action, Adventure, Science Fiction|A laundry owner has to do her taxes in every universe.
324857|2018|tt4633694|117|Spider-Man: Into the Spider-Verse|Action, Adventure, Animation|A boy in Brooklyn finds out that he is one of many.
569094|2023|tt9362722|140|Spider-Man: Across the Spider-Verse|Action, Adventure, Animation|All of them know how his story must go. He does not agree.
354912|2017|tt2380307|105|Coco|Animation, Family, Music|A boy who may not make music asks the dead for leave.
14160|2009|tt1049413|96|Up|Adventure, Animation, Family|An old man flies off in his house, with a stowaway.
10681|2008|tt0910970|98|WALL·E|Animation, Family, Science Fiction|The last one who tidies up the Earth finds a plant.
12|2003|tt0266543|100|Finding Nemo|Animation, Family|A fish who is afraid of everything crosses an ocean.
2062|2007|tt0382932|111|Ratatouille|Animation, Comedy, Family|The best cook of Paris lives under a hat.
244786|2014|tt2582802|107|Whiplash|Drama, Music|A drummer and a teacher who is never content.
313369|2016|tt3783958|129|La La Land|Comedy, Drama, Music, Romance|She acts, he plays, and both want more than this.
120467|2014|tt2278388|100|The Grand Budapest Hotel|Comedy, Drama|A concierge inherits a painting and all that follows from it.
115|1998|tt0118715|117|The Big Lebowski|Comedy, Crime|All he wanted was his rug back.
275|1996|tt0116282|98|Fargo|Crime, Drama, Thriller|A car salesman has an idea. It snows.
6977|2007|tt0477348|122|No Country for Old Men|Crime, Drama, Thriller|A man finds a suitcase, and a man finds him.
289|1943|tt0034583|102|Casablanca|Drama, Romance|Of all the bars in the world she comes to his.
10378|2008|tt1254207|10|Big Buck Bunny|Animation, Comedy, Family|A gentle rabbit has had enough of three rodents.
45745|2010|tt1727587|15|Sintel|Animation, Fantasy|A girl looks for the dragon she raised.
133701|2012|tt2285752|12|Tears of Steel|Action, Science Fiction|In Amsterdam, old love is re-enacted to stop the robots.
"""

_SERIES = """
1399|2011|tt0944947|121361|60|Game of Thrones|Drama, Fantasy|14;10,10,10,10,10,10,7,6|Nine houses want one chair, and winter is late.
87108|2019|tt7366338|360893|65|Chernobyl|Drama, History|0;5|What happened in reactor four, and who said what about it.
67070|2016|tt5687612|314614|27|Fleabag|Comedy, Drama|0;6,6|A woman in London tells us more than she tells anyone else.
1396|2008|tt0903747|81189|47|Breaking Bad|Crime, Drama|9;7,13,13,13,16|A chemistry teacher with little time left changes his trade.
60059|2015|tt3032476|273181|46|Better Call Saul|Crime, Drama|0;10,10,10,10,10,13|How a lawyer with a conscience got rid of it.
66732|2016|tt4574334|305288|50|Stranger Things|Drama, Mystery, Science Fiction|0;8,9,8,9,8|A boy disappears, and a girl with no hair turns up.
1438|2002|tt0306414|79126|60|The Wire|Crime, Drama|0;13,12,12,13,10|One city, seen from a corner, a dock, a town hall, a school and a newspaper.
1398|1999|tt0141842|75299|55|The Sopranos|Crime, Drama|0;13,13,13,13,13,21|A man with two families sees a therapist.
95396|2022|tt11280740|371980|50|Severance|Drama, Mystery, Science Fiction|0;9,10|At work they know nothing of home, at home nothing of work.
82856|2019|tt8111088|361753|38|The Mandalorian|Action, Adventure, Science Fiction|0;8,8,8|A hunter of men is asked to fetch a child.
83867|2022|tt9253284|393189|45|Andor|Action, Drama, Science Fiction|0;12,12|How a thief becomes part of something.
63351|2015|tt2707408|282670|50|Narcos|Crime, Drama|0;10,10,10|Who sold the powder, and who ran after them.
42009|2011|tt2085059|253463|60|Black Mirror|Drama, Science Fiction, Thriller|0;3,3,6,6,3,5,6|Each time another screen, and each time it goes wrong.
2316|2005|tt0386676|73244|22|The Office|Comedy|0;6,22,25,19,28,26,26,24,25|A paper company, a camera, and a boss who looks into it.
19885|2010|tt1475582|176941|90|Sherlock|Crime, Drama, Mystery|1;3,3,3,3|The old cases, with telephones.
70523|2017|tt5753856|334824|55|Dark|Drama, Mystery, Science Fiction|0;10,8,8|Children vanish from a small town, every thirty-three years.
100088|2023|tt3581920|392256|55|The Last of Us|Drama, Horror|0;9,7|A smuggler takes a girl across what is left of a country.
94605|2021|tt11126994|371028|41|Arcane|Action, Animation, Drama|0;9,9|Two sisters on the two sides of one river.
1668|1994|tt0108778|79168|22|Friends|Comedy, Romance|0;24,24,25,24,24,25,24,24,24,18|Six people and one sofa.
4613|2001|tt0185906|74205|60|Band of Brothers|Drama, History, War|0;10|One company, from the training camp to the eagle's nest.
"""


def _films(lines: str) -> Iterable[Title]:
    for line in lines.strip().splitlines():
        tmdb, year, imdb, minutes, title, genres, overview = line.split("|")
        names = tuple(genres.split(", "))
        yield Title("movie", int(tmdb), title, int(year), imdb, None, int(minutes), names, overview, {})


def _series(lines: str) -> Iterable[Title]:
    for line in lines.strip().splitlines():
        tmdb, year, imdb, tvdb, minutes, title, genres, seasons, overview = line.split("|")
        names = tuple(genres.split(", "))
        yield Title(
            "tv", int(tmdb), title, int(year), imdb, int(tvdb), int(minutes), names, overview, _seasons(seasons)
        )


def _seasons(text: str) -> dict[int, int]:
    specials, regular = text.split(";")
    seasons = {0: int(specials)} if int(specials) else {}
    return seasons | {number: int(episodes) for number, episodes in enumerate(regular.split(","), start=1)}


TITLES = (*_films(_FILMS), *_series(_SERIES))
_BY_ID: dict[tuple[str, int], Title] = {(title.kind, title.tmdb): title for title in TITLES}
