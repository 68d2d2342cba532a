"""Brings an installation to rest and accounts for every sample that its agent numbered. For tests only."""

from collections import Counter

from installation import WORKSPACE, Installation, wait_for


def everything_delivered(installation: Installation) -> bool:
    spool = installation.spool()
    return spool["next_seq"] > 1 and spool["acked"] == spool["next_seq"] - 1


def in_step(installation: Installation) -> bool:
    agents = installation.api.get(f"/api/v1/workspaces/{WORKSPACE}/agents?limit=10")["items"]
    return all(agent["applied_state_number"] == agent["state_number"] for agent in agents)


def connected(installation: Installation) -> bool:
    return installation.agent_status().get("link", {}).get("state") == "connected"


def stop_cleanly(installation: Installation) -> None:
    code = installation.stop("agent")
    assert code == 0, f"the agent did not stop cleanly: it ended with code {code}"


def settle(installation: Installation, probes: list[str], stream: int) -> None:
    """Ends measuring and has everything delivered; agent stopped, controller running."""
    for probe in probes:
        installation.api.disable(probe)
    wait_for("the agent to be connected", lambda: connected(installation))
    wait_for("the agent to stop measuring", lambda: in_step(installation))
    # Stopping puts into the spool what was measured last; the next start, with nothing to measure, delivers it.
    stop_cleanly(installation)
    installation.start("agent")
    wait_for("everything to be delivered", lambda: everything_delivered(installation), 60)
    wait_for("the agent to be connected", lambda: connected(installation))
    stop_cleanly(installation)
    assert everything_delivered(installation), "the agent measured although its probes are disabled"
    assert installation.spool()["stream"] == stream, "the agent began another stream although nothing was damaged"


def account(installation: Installation, probes: list[str], paths: list[str] = ()) -> dict:
    samples = {probe: installation.api.samples(probe) for probe in probes}
    times = {probe: [at for at, _ in found] for probe, found in samples.items()}
    stored = sum(len(t) for t in times.values())
    twice = sum(n - 1 for t in times.values() for n in Counter(t).values())
    # The target of a path answers: whoever has its run has its hops.
    traced = {probe: {at for at, outcome in samples[probe] if outcome == "ok"} for probe in paths}
    bare = sum(len(ok - installation.api.hop_times(probe)) for probe, ok in traced.items())
    return {"numbered": installation.spool()["next_seq"] - 1, "stored": stored, "stored twice": twice,
            "declared lost": installation.api.metric("netwatcher_store_lost_declared"),
            "silent probes": sum(1 for t in times.values() if not t), "paths without a run": sum(1 for ok in traced.values() if not ok),
            "runs without hops": bare}


def verdict(found: dict, probes: int) -> str:
    """What is wrong with an account of a time in which nothing had a reason to be lost; empty when nothing is."""
    if found["numbered"] < probes:
        return f"only {found['numbered']} samples were measured"
    if found["silent probes"]:
        return f"{found['silent probes']} probes have no sample"
    if found["paths without a run"]:
        return f"{found['paths without a run']} paths have no run that reached its target"
    if found["stored twice"]:
        return f"{found['stored twice']} samples are stored twice"
    if found["runs without hops"]:
        return f"{found['runs without hops']} runs of paths are stored without their hops"
    if found["declared lost"]:
        return f"{found['declared lost']} samples were declared lost"
    missing = found["numbered"] - found["stored"]
    return f"{missing} samples are neither stored nor declared lost" if missing else ""
