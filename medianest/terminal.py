"""What a process says: one structured line for each thing that happens."""

import logging
from typing import Literal, TextIO

import structlog

POOL_SECONDS = 60.0  # until the pool of database connections may say the same again


def set_up_logging(form: Literal["text", "json"], stream: TextIO) -> None:
    """Lines on `stream`, as text for people or JSON for machines. No line holds a secret or a name."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(pad_event_to=36, colors=stream.isatty())
    )
    said = (
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if form == "text" else "iso", utc=form == "json"),
    )
    structlog.configure(
        processors=[*said, structlog.processors.format_exc_info, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    logging.captureWarnings(capture=True)
    logging.basicConfig(level=logging.WARNING, handlers=[_of_libraries(said, renderer, stream)], force=True)


def _of_libraries(
    said: tuple[structlog.typing.Processor, ...], renderer: structlog.typing.Processor, stream: TextIO
) -> logging.Handler:
    """What psycopg, uvicorn and the like log comes out in the same form: one line each, and `logger` says whose it is.

    No INFO of theirs: httpx would tell addresses, and search words with them.
    """
    handler = logging.StreamHandler(stream)
    handler.addFilter(_PoolSeldom())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*said, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    return handler


class _PoolSeldom(logging.Filter):
    """While PostgreSQL is away, the pool says so for every connection, several times a second: once a minute will do."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[object, float] = {}  # when, by message without its values

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == "psycopg.pool":
            if record.created < self._said.get(record.msg, 0.0) + POOL_SECONDS:
                return False
            self._said[record.msg] = record.created
        return True
