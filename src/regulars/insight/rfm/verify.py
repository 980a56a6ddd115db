"""Do the cached counts of the newest snapshot say what its scores say?"""

from regulars.insight.rfm.queries import count_moves, fold_again, latest_snapshot, month_before


def differences() -> list[str]:
    """One sentence for each count that differs."""
    snapshot = latest_snapshot()
    if snapshot is None:
        return []
    cached = {k: v for k, v in snapshot.counts.items() if k not in {"grid", "movement"} and v[0]} | snapshot.counts[
        "grid"
    ]
    folded = fold_again(snapshot)
    found = [
        f"RFM snapshot {snapshot.id}, {name}: the counts say {cached.get(name)}, the scores {folded.get(name)}"
        for name in sorted(cached.keys() | folded.keys())
        if cached.get(name) != folded.get(name)
    ]
    before, moves = month_before(snapshot), snapshot.counts.get("movement")
    if (
        before
        and moves
        and moves["before"] == before.id
        and moves["moves"] != [list(m) for m in count_moves(before, snapshot)]
    ):
        found.append(f"RFM snapshot {snapshot.id}: the movement since snapshot {before.id} is not what the scores say")
    return found
