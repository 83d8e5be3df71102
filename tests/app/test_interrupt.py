import signal

import pytest

from fathometer.app.interrupt import INTERRUPTED, stop_on_interrupt


def test_first_interrupt_asks_to_stop() -> None:
    with stop_on_interrupt() as stop:
        assert not stop.is_set()
        signal.raise_signal(signal.SIGINT)
        assert stop.is_set()


def test_second_interrupt_ends_the_command() -> None:
    with stop_on_interrupt():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(SystemExit) as end:
            signal.raise_signal(signal.SIGINT)
    assert end.value.code == INTERRUPTED


def test_interrupt_means_what_it_meant_before_afterwards() -> None:
    before = signal.getsignal(signal.SIGINT)
    with stop_on_interrupt():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before
