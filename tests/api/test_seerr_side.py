"""What admins see of Seerr's side."""

import httpx

from medianest.api.site import Site
from tests.api.conftest import problem


async def test_how_far_seerr_was_followed_is_shown_and_can_begin_anew(olivia: httpx.AsyncClient, site: Site) -> None:
    assert (await olivia.get("/admin/seerr")).json()["state"] == "not-begun"
    async with site.pool.connection() as rows:
        await rows.execute("INSERT INTO seerr_followed (reached, total) VALUES (now(), 12)")
        await rows.execute("INSERT INTO seerr_set_aside (number, why) VALUES (1, 'not-linked'), (2, 'no-title')")
    told = (await olivia.get("/admin/seerr")).json()
    assert (told["state"], told["total"], told["set_aside"]) == (
        "first-run", 12, {"not_linked": 1, "no_title": 1, "perhaps_ours": 0},
    )  # fmt: skip
    again = await olivia.post("/admin/seerr/again")
    assert (again.status_code, again.json()["reached"]) == (202, None)


async def test_what_differs_is_shown_and_a_healing_is_ordered(olivia: httpx.AsyncClient, site: Site) -> None:
    made = (await olivia.post("/media/requests", json={"kind": "movie", "tmdb": 438631})).json()
    assert (await olivia.get("/admin/seerr/drift")).json() == {"compared_at": None, "under_way": False, "items": []}
    async with site.pool.connection() as rows:
        await rows.execute(
            "INSERT INTO seerr_drift VALUES (%s, 'sent', 'declined', 'seerr', 'So.', now(), '{1,2}', '{2,3}')",
            (made["request"],),
        )
    (item,) = (await olivia.get("/admin/seerr/drift")).json()["items"]
    assert (item["request"], item["title"], item["here"], item["there"], item["wins"]) == (
        made["request"], "Dune", "sent", "declined", "seerr",
    )  # fmt: skip
    assert (item["seasons_here"], item["seasons_there"]) == ([1, 2], [2, 3])
    ordered = await olivia.post("/admin/seerr/drift/heal")
    assert (ordered.status_code, ordered.json()["under_way"]) == (202, True)


async def test_seerrs_side_is_for_admins(anna: httpx.AsyncClient) -> None:
    assert problem(await anna.get("/admin/seerr"))[0] == 403
    assert problem(await anna.get("/admin/seerr/drift"))[0] == 403
    assert problem(await anna.post("/admin/seerr/drift/heal"))[0] == 403
