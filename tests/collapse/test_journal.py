"""The journal of a guard."""

from kerasgan.collapse import Decision, Detector, Entry, Journal, Measurement


def check(journal, step, value):
    """Let a detector judge one more measurement, write it down, and rescue if it is bad."""
    measurement = Measurement(value, value, 1.0, value, value, 0.0)
    verdict = Detector()([*journal.current, measurement])
    journal.add(Entry(step // 100, step, measurement, verdict.state, verdict.sentence))
    if verdict.bad:
        journal.decide(Decision(step // 100, step, "rescue", verdict.sentence, (), 200))
    return verdict


def seen(journal):
    return [measurement.diversity for measurement in journal.current]


def test_a_resumed_journal_remembers_what_an_uninterrupted_one_did(tmp_path):
    values = [0.9, 0.9, 0.52, 0.52, 0.8]
    straight = Journal()
    memory = []
    for i, value in enumerate(values):
        memory.append((seen(straight), check(straight, 100 * (i + 1), value).state))
    assert straight.rescues == 1 and memory[3][1] == "collapsed"
    straight.write(tmp_path / "journal.json")
    for i, value in enumerate(values):
        resumed = Journal.read(tmp_path / "journal.json")
        resumed.go_back(100 * i)
        again = seen(resumed), check(resumed, 100 * (i + 1), value).state
        assert again == memory[i]
        assert len(resumed.entries) == i + 1
