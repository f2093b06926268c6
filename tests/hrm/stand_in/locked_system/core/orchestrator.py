"""Agents answer in a thread pool; one that decides instead of proposing spoils it."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace


class Orchestrator:
    def __init__(self, agent_runner):
        self.agent_runner = agent_runner

    def execute(self, agents, reducer, context, parallel=True):
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda agent: self.agent_runner(agent, context), agents))
        spoiled = [answer for answer in answers if answer.startswith("DECISION")]
        if spoiled:
            return SimpleNamespace(success=False, result=None, error=SimpleNamespace(message="an agent decided"))
        return SimpleNamespace(success=True, result=reducer(answers), error=None)
