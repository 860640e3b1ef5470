"""Goes through every function of the reference client against an emulator, and fails when one was left out.

Takes the emulator's address and a key with every permission from CLINK_API_URL and CLINK_API_KEY.
"""

import asyncio
import inspect
import json
import os
import urllib.request

from clink_mcp_server import client
from clink_mcp_server.types import ClinkApiError, Milestone, Proposal, is_hil_required

URL = os.environ["CLINK_API_URL"]
called: set[str] = set()


class Recorded:
    """The client's functions, remembered when they are called."""

    def __getattr__(self, name):
        function = getattr(client, name)
        called.add(name)
        return function


api = Recorded()


def public_functions() -> set[str]:
    return {
        name
        for name, function in inspect.getmembers(client, inspect.isfunction)
        if function.__module__ == client.__name__
    }


def control(method: str, path: str, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{URL}/_emulator{path}", data=data, method=method)
    with urllib.request.urlopen(request) as response:
        return json.load(response)["data"]


async def refused(awaitable, status: int) -> ClinkApiError:
    try:
        await awaitable
    except ClinkApiError as error:
        assert error.status_code == status, f"{error.status_code}: {error}"
        assert error.message, "an error has a message for people"
        return error
    raise AssertionError(f"expected a refusal with {status}")


async def groups() -> str:
    listed = await api.list_groups()
    assert [group.slug for group in listed] == ["ops"], listed
    group_id = await api.resolve_group("ops")
    assert group_id == listed[0].group_id
    assert await api.resolve_group(group_id) == group_id
    await refused(api.resolve_group("no such group"), 404)
    assert (await api.get_group(group_id)).name == "Operations"
    members = await api.list_members(group_id)
    assert {member.name for member in members} >= {"alice", "worker"}, members
    assert (await api.request("GET", "/health"))["status"] == "ok"
    return group_id


async def clinks(group_id: str) -> None:
    sent = await api.send_clink(group_id, "To myself & others: ünïcode 🚀", for_recipient="ap_worker")
    assert sent.for_ == "ap_worker" and sent.status == "pending"
    await refused(api.send_clink(group_id, "x" * 4097), 400)
    await refused(api.send_clink(group_id, "x", for_recipient="nobody"), 400)
    control("POST", "/clinks", {"group": "ops", "content": "unread"})
    unread = await api.get_clinks(
        group_id=group_id, since="2020-01-01T00:00:00+00:00", limit=5, status="pending", unread_only=True, mark_read=True
    )
    assert [clink.content for clink in unread] == ["unread"], unread
    assert [clink.clink_id for clink in await api.get_clinks(for_me=True)] == [sent.clink_id]
    assert isinstance(await api.mark_read([group_id]), dict)
    assert await api.get_clinks(unread_only=True) == []

    inbox = await api.check_inbox(status="pending", for_me=True, limit=10, since="2020-01-01T00:00:00Z")
    assert inbox["count"] == 2 and inbox["claimed_count"] is None, inbox
    inbox = await api.check_inbox(claim=True, limit=1)
    assert inbox["claimed_count"] == 1 and inbox["clinks"][0].clink_id == sent.clink_id, inbox
    assert inbox["clinks"][0].claimed_by == "ap_worker"
    renewed = await api.claim_clink(sent.clink_id, timeout_seconds=60)
    assert renewed.claim_expires_at and renewed.claimed_at
    assert (await api.release_clink(sent.clink_id)).status == "pending"
    await refused(api.complete_clink(sent.clink_id), 409)
    await api.claim_clink(sent.clink_id)
    done = await api.complete_clink(sent.clink_id, response_text="Done")
    assert done.clink.status == "completed" and done.response_clink_id
    await refused(api.claim_clink("msg_none"), 404)


async def milestones(group_id: str) -> None:
    made = await api.create_milestone(
        group_id,
        title="Release",
        description="All of it",
        checkpoints=[{"title": "Build"}, {"title": "Ship", "depends_on": [1]}],
    )
    assert made.checkpoints and made.checkpoints[1].depends_on == [1]
    milestone = made.milestone_id
    assert [m.milestone_id for m in await api.list_milestones(group_id, status="active", limit=5)] == [milestone]
    assert (await api.get_milestone(milestone)).progress == made.progress
    assert (await api.update_milestone(milestone, title="R2", description="more")).title == "R2"
    added = await api.add_checkpoint(
        milestone,
        title="Announce",
        description="To all",
        requires_consensus=False,
        depends_on=[2],
        git_branch_url="https://example.test/b",
        git_pr_url="https://example.test/p",
        git_commit_url="https://example.test/c",
        position=3,
    )
    assert added.total_checkpoints == 3
    changed = await api.update_checkpoint(
        milestone,
        3,
        title="Tell",
        description="Everybody",
        depends_on=[1],
        git_branch_url="https://example.test/b2",
        git_pr_url="https://example.test/p2",
        git_commit_url="https://example.test/c2",
    )
    assert changed.checkpoints[2].title == "Tell" and changed.checkpoints[2].depends_on == [1]
    await refused(api.complete_checkpoint(milestone, 2), 409)
    assert (await api.delete_checkpoint(milestone, 3)).total_checkpoints == 2

    asked = await api.complete_checkpoint(milestone, 1, hil_expiry_seconds=120)
    assert is_hil_required(asked) and asked["verification_status"] == "new", asked
    assert asked["sent_to"] == ["alice@example.test"], asked
    waiting = await api.list_pending_verifications(group_id, limit=5)
    assert [v.verification_id for v in waiting] == [asked["verification_id"]]
    control("POST", f"/verifications/{asked['verification_id']}/approve")
    again = await api.complete_checkpoint(milestone, 1)
    assert isinstance(again, Milestone) and again.completed_checkpoints == 1
    asked = await api.complete_checkpoint(milestone, 2)
    control("POST", f"/verifications/{asked['verification_id']}/approve")
    assert (await api.get_milestone(milestone)).status == "closed"
    assert (await api.reopen_milestone(milestone)).status == "active"


async def projects(group_id: str) -> None:
    made = await api.create_project(group_id, title="Site", description="New", slug="site", color="#00aa00")
    await refused(api.create_project(group_id, title="Site", slug="site"), 409)
    project = made.project_id
    assert {p.slug for p in await api.list_projects(group_id, status="active", limit=9)} == {"general", "site"}
    assert (await api.get_project(project)).color == "#00aa00"
    changed = await api.update_project(project, title="Web", description="", slug="web", color="#0000aa")
    assert (changed.title, changed.slug, changed.color) == ("Web", "web", "#0000aa")
    await api.create_milestone(group_id, title="In it", checkpoints=[{"title": "x"}], project_id=project)
    assert [m.title for m in await api.list_project_milestones(project, status="active", limit=3)] == ["In it"]
    assert (await api.complete_project(project)).status == "completed"
    assert (await api.archive_project(project)).status == "archived"
    assert (await api.reopen_project(project)).status == "active"
    await refused(api.reopen_project(project), 409)


async def proposals(group_id: str) -> None:
    made = await api.create_proposal(
        group_id,
        title="Which?",
        description="Choose",
        voting_type="ranked",
        threshold_type="majority",
        options=["red", "green"],
        deadline_hours=2,
    )
    proposal = made.proposal_id
    assert made.deadline and made.options == ["red", "green"]
    assert [p.proposal_id for p in await api.list_proposals(group_id, status="open", limit=5)] == [proposal]
    await refused(api.cast_vote(proposal, vote="blue"), 400)
    voted = await api.cast_vote(proposal, vote="green,red", comment="obviously", hil_expiry_seconds=90)
    assert isinstance(voted, Proposal) and voted.tally == {"red": 0, "green": 1}, voted
    assert (await api.get_proposal(proposal)).votes[0].comment == "obviously"
    ended = await api.finalize_proposal(proposal, total_eligible_voters=3)
    assert ended.status == "finalized" and ended.result == "green" and ended.threshold_met is True
    await refused(api.cast_vote(proposal, vote="red"), 409)
    plain = await api.create_proposal(group_id, title="Quiet?")
    quiet = await api.cast_vote(plain.proposal_id, vote="yes")
    assert quiet.votes[0].comment == "", "a vote without a comment is one that the reference client can read"


async def rest() -> None:
    given = await api.submit_feedback(category="bug", content="It is slow", tool="inbox")
    assert given.feedback_id and given.category == "bug"
    mine = await api.get_my_permissions()
    assert mine.permissions["feedback"] and mine.permissions_info["feedback"].granted
    assert (mine.scope_type, mine.owner_type) == ("group", "agent_profile")


async def main() -> None:
    assert api.is_configured() and api.get_config_status() == "Configured"
    assert api.is_uuid("6f1d3c1e-52a4-4b0e-9d3b-0a7b3f6c1001") and not api.is_uuid("ops")
    group_id = await groups()
    await clinks(group_id)
    await milestones(group_id)
    await projects(group_id)
    await proposals(group_id)
    await rest()
    missing = public_functions() - called
    assert not missing, f"not called: {sorted(missing)}"
    print(f"{len(called & public_functions())} functions of the reference client")


asyncio.run(main())
