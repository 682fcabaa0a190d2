"""Instance ids: unique, rising, and next to what starts at the same time."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from noria.operate.ids import InstanceIds, drawn_ms, id_of, shard_of
from noria.operate.rows import SHARDS

NOW_MS = 1_790_000_000_000


@given(st.lists(st.integers(NOW_MS - 5_000, NOW_MS + 5_000), max_size=50), st.sampled_from([1, 3, 5_000]))
def test_ids_rise_and_never_repeat_however_the_clock_jumps(instants: list[int], burst: int) -> None:
    ids = InstanceIds()
    drawn = [ids.draw(now_ms) for now_ms in instants for _ in range(burst if now_ms == instants[0] else 1)]
    milliseconds_and_counter = [(iid >> 22, iid & 0xFFF) for iid in drawn]
    assert milliseconds_and_counter == sorted(set(milliseconds_and_counter))


def test_what_starts_together_lies_in_one_shard() -> None:
    ids = InstanceIds()
    assert len({shard_of(ids.draw(NOW_MS - NOW_MS % 16 + ms)) for ms in range(16) for _ in range(100)}) == 1


def test_all_shards_get_the_same_share_in_the_long_run() -> None:
    ids = InstanceIds()
    counts = Counter(shard_of(ids.draw(NOW_MS + ms)) for ms in range(10 * 16 * SHARDS))
    assert set(counts) == set(range(SHARDS))
    assert set(counts.values()) == {160}


def test_a_new_owner_draws_above_what_there_is_even_if_its_clock_is_behind() -> None:
    before = InstanceIds().draw(NOW_MS)
    ids = InstanceIds()
    ids.follow(before)
    assert ids.draw(NOW_MS - 60_000) > before


@given(st.integers(NOW_MS - 10**11, NOW_MS + 10**11), st.integers(0, SHARDS - 1), st.integers(0, 4095))
def test_an_id_tells_its_instant_and_its_shard(now_ms: int, shard: int, count: int) -> None:
    iid = id_of(now_ms, shard, count)
    assert (drawn_ms(iid), shard_of(iid)) == (now_ms, shard)
    assert drawn_ms(InstanceIds().draw(now_ms)) == now_ms
