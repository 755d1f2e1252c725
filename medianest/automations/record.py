"""Puts on record what an automation did or saw."""

from medianest.automations.interrupt import outlast
from medianest.commands import Commands, Outcome
from medianest.domain.command import Actor, Command


class Record:
    """Issues commands in the name of one automation, or of the service it heard from.

    A command that was begun is finished, also when the automation is being stopped: its outcome must not be in doubt.
    """

    def __init__(self, commands: Commands, by: Actor) -> None:
        self._commands = commands
        self._by = by

    async def __call__(self, command: Command) -> Outcome:
        return await outlast(self._commands.run(command, self._by))
