"""Secrets reach who is to act, and nobody else."""

from tests.service.scheduler.scheduler_harness import TOPIC, Harness


async def test_secrets_of_a_payload_and_a_result_reach_the_target_only(harness: Harness) -> None:
    event = await harness.add(require_ack=True, payload={"token": "hush1"})
    order = {"payload": {"token": "hush2", "room": "hall"}}
    started = await harness.post(f"/events/{event['event_id']}/trigger", order)
    execution_id = str(started["execution_id"])
    (got,) = await harness.hear(TOPIC)
    assert got["token"] == "hush2"
    report = {"execution_id": execution_id, "status": "completed", "result": {"secret": "hush3"}}
    await harness.http.post(f"/executions/{execution_id}/complete", json=report)
    row = await harness.status(execution_id, "completed")
    assert (row["payload"]["room"], row["payload"]["token"][:3]) == ("hall", "***")
    answers = [(await harness.http.get(path)).text for path in ("/executions", "/events")]
    told = [message.body for message in harness.heard if message.topic != TOPIC]
    assert not any("hush" in text for text in answers)
    assert told
    assert not any(b"hush" in body for body in told)
