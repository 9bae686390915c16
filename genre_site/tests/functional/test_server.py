"""The real gunicorn, started as `make run` starts it, answers and follows a promotion."""

import time

from genre_site.tests.running import Site, Visitor

TEXT = "The wizard and the sorceress cast an old spell on the dragon that guards the kingdom."


def ask(address):
    """Return the version that answers somebody new."""
    answer = Visitor(address).ask(TEXT)
    assert answer.genres[0][0] == "Fantasy"
    return answer.number


def test_the_real_server_answers_and_follows_a_promotion_without_restart(tmp_path, model_folder):
    site = Site(tmp_path, [model_folder, model_folder])
    with site.serving() as address:
        assert {ask(address) for _ in range(4)} == {1}
        site.run("from classifier.registry import promote\npromote(2, by='test')\n")
        deadline = time.monotonic() + 5
        answers = [ask(address) for _ in range(4)]
        while set(answers) != {2} and time.monotonic() < deadline:
            time.sleep(0.2)
            answers = [ask(address) for _ in range(4)]
        assert set(answers) == {2}
