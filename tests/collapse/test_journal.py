"""The journal of a guard."""

import json

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


def test_evidence_is_kept_and_may_be_missing(tmp_path):
    measurement = Measurement(0.5, 0.5, 1.0, 0.5, 0.5, 0.0, detail=(1.0,), classes=(None, 0.5))
    evidence = ("copies", "class 1")
    journal = Journal([Entry(1, 100, measurement, "collapsed", "a sentence", evidence)])
    journal.write(tmp_path / "journal.json")
    assert Journal.read(tmp_path / "journal.json").entries == journal.entries
    stored = json.loads((tmp_path / "journal.json").read_text())
    del stored["entries"][0]["evidence"]
    (tmp_path / "journal.json").write_text(json.dumps(stored))
    (entry,) = Journal.read(tmp_path / "journal.json").entries
    assert entry.evidence == () and entry.classes_alone == []


def test_a_class_is_alone_where_the_whole_did_not_fall():
    measurement = Measurement(0.5, 0.5, 1.0, 0.5, 0.5, 0.0)
    for evidence, alone in (
        (("class 3", "copies", "class 12"), [3, 12]),
        (("class 3", "surface"), []),
        (("layout", "class 3"), []),
        (("blur",), []),
    ):
        entry = Entry(1, 100, measurement, "collapsed", "a sentence", evidence)
        assert entry.classes_alone == alone
