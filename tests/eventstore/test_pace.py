"""When two groups of appends go at once, and when all go in one: by how long PostgreSQL and a commit take."""

from medianest.eventstore.pace import MEMORY, OURS, Pace

INSIDE = 0.000_020  # seconds of PostgreSQL for one append


def pace(*, around: float, appends: int = 16, groups: int = 50) -> Pace:
    """After so many groups, one behind the other, each with so much around it."""
    paced, now = Pace(), 100.0
    for _ in range(groups):
        sent, now = now, now + appends * INSIDE + around
        paced.answered(sent, now, appends, appends * INSIDE)
    return paced


def test_with_many_writers_on_a_quick_disk_two_groups_pay() -> None:
    assert pace(around=0.000_3).divides(32)


def test_two_groups_pay_from_where_our_work_on_the_appends_takes_as_long_as_what_is_around_a_group() -> None:
    paced = pace(around=12 * OURS * INSIDE)
    assert (paced.divides(11), paced.divides(13)) == (False, True)


def test_with_few_writers_all_go_in_one() -> None:
    assert not pace(around=0.000_3).divides(8)


def test_where_a_commit_or_a_turn_takes_long_all_go_in_one() -> None:
    assert not pace(around=0.005).divides(128)


def test_a_disk_that_becomes_quick_again_is_noticed() -> None:
    paced = pace(around=0.005)
    now = 200.0
    for _ in range(50):
        paced.answered(now, now + 0.000_6, 16, 16 * INSIDE)
        now += 1
    assert paced.divides(32)


def test_time_that_a_group_waited_behind_another_of_ours_does_not_count() -> None:
    """Both were sent at once; the second was next only when the first was answered."""
    paced, now = Pace(), 100.0
    for _ in range(50):
        paced.answered(now, now + 0.000_6, 16, 16 * INSIDE)
        paced.answered(now, now + 0.001_2, 16, 16 * INSIDE)
        now += 1
    assert paced.divides(10)
    assert not paced.divides(9)


def test_before_anything_is_known_two_groups_may_go() -> None:
    assert Pace().divides(1)


def test_one_group_that_had_to_wait_for_the_disk_changes_nothing() -> None:
    paced = pace(around=0.000_3)
    paced.answered(200.0, 200.05, 16, 16 * INSIDE)
    for n in range(MEMORY):
        assert paced.divides(32)
        paced.answered(201.0 + n, 201.0 + n + 16 * INSIDE + 0.000_3, 16, 16 * INSIDE)


def test_of_the_times_it_remembers_the_one_in_the_middle_counts() -> None:
    paced, pays = pace(around=0.000_3), list[bool]()
    for n in range(MEMORY):
        paced.answered(200.0 + n, 200.05 + n, 16, 16 * INSIDE)
        pays.append(paced.divides(32))
    assert pays == [n < MEMORY // 2 for n in range(MEMORY)]


def test_appends_that_become_cheap_are_noticed() -> None:
    paced = pace(around=0.000_3)
    for n in range(MEMORY):
        paced.answered(200.0 + n, 200.0 + n + 0.000_3, 16, 16 * INSIDE / 100)
    assert not paced.divides(32)
