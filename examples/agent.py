"""An agent's turn: calls inside calls, paired by correlation id, with a tool that fails once."""
# ruff: noqa: INP001 - a file to run

from __future__ import annotations

import asyncio

import runline


async def search(run: runline.ActiveRun, words: str, *, attempt: int) -> int:
    async with run.call("tool", "search", data={"args": {"words": words}}) as call:
        await asyncio.sleep(0.01)
        if attempt == 1:
            raise TimeoutError("the index did not answer")
        call.result(data={"result": f"3 pages about {words}"})
        return 3


async def main() -> None:
    async with runline.run("answer-a-question", kind="agent", tags=["example"]) as run, run.step("think"):
        async with run.call("llm", model="small-1", data={"prompt_preview": "What is a cursor?"}) as call:
            for attempt in (1, 2):
                try:
                    await search(run, "cursor", attempt=attempt)
                except TimeoutError as error:
                    run.event("retry_scheduled", data={"attempt": attempt + 1, "reason": str(error)})
            call.result(
                tokens_in=210, tokens_out=48, tokens_used=258, data={"text": "A place to go on from."}
            )
        async with run.call("test", "answer names its sources") as test:
            test.result(data={"passed": 1, "failed": 0, "skipped": 0})


if __name__ == "__main__":
    asyncio.run(main())
