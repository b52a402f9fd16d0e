"""What an iterator gives, taken on a thread of its own."""

import queue
import threading


class Steps:
    """The steps of each `iterate()`, one after the other; its error is raised where its turn is."""

    # How long each is waited for.
    seconds = 30

    def __init__(self, *iterates):
        """Of several iterators whichever steps come first."""
        self.steps = queue.SimpleQueue()
        for iterate in iterates:
            threading.Thread(target=self._run, args=(iterate,), daemon=True).start()

    def _run(self, iterate):
        try:
            for step in iterate():
                self.steps.put(step)
        except BaseException as error:
            self.steps.put(error)

    def next(self):
        step = self.steps.get(timeout=self.seconds)
        if isinstance(step, BaseException):
            raise step
        return step
