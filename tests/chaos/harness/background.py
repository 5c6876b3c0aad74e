"""What goes on all the while, turn after turn."""

import threading


class Background(threading.Thread):
    """Subclasses have turn(), and pause_s before each; what fails in one is kept in failed."""

    pause_s = 0.25

    def __init__(self, name, session=None):
        super().__init__(name=name, daemon=True)
        self.session = session
        self.stopping = threading.Event()
        self.failed = None

    def run(self):
        try:
            while not self.stopping.wait(self.pause_s):
                self.turn()
        except BaseException as why:  # pylint: disable=broad-except
            self.failed = why
            raise
        finally:
            if self.session is not None:
                self.session.close()

    def stop(self):
        self.stopping.set()
        self.join()
