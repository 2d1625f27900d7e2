"""From frames to redacted segments, one utterance at a time. No I/O of its own."""

from collections.abc import Callable, Iterable, Iterator

from desktop_agent.capture.messages import Segment
from desktop_agent.redaction import Redactor, Session
from desktop_agent.speech.utterances import Cutting, Utterance, cut, finish
from desktop_agent.speech.voice import Voice
from desktop_agent.speech.whisper import Heard

Hear = Callable[[Utterance], Iterable[Heard]]


def utterances(frames: Iterable[bytes], voiced: Voice) -> Iterator[Utterance]:
    """The utterances of a whole stream, each as soon as it is over."""
    state = Cutting()
    for frame in frames:
        state, found = cut(state, frame, voiced(frame))
        if found is not None:
            yield found
    last = finish(state)
    if last is not None:
        yield last


def segments(
    frames: Iterable[bytes], voiced: Voice, hear: Hear, redactor: Redactor
) -> Iterator[Segment]:
    """What was said, redacted; numbered from 1."""
    session, number = Session(), 0
    for utterance in utterances(frames, voiced):
        for heard in hear(utterance):
            session, redacted = redactor.redact(session, heard.text)
            number += 1
            yield Segment(
                number=number,
                start_ms=heard.start_ms,
                end_ms=heard.end_ms,
                text=redacted.text,
                masked=redacted.masked,
                classification=redacted.classification,
            )
