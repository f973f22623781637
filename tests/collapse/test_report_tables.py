"""What the page says in tables and advice: rescues, classes, sharpness, what to try."""

import json
import re

import pytest

from kerasgan import report
from kerasgan.collapse import BROKEN, Decision, Entry, Journal, Measurement
from kerasgan.collapse.advice import advice

pytestmark = pytest.mark.numpy


def measurement(value, **others):
    return Measurement(value, value, 1.0, value, value, 0.0, **others)


def entry(step, value, state="healthy", evidence=(), **others):
    found = value if isinstance(value, Measurement) else measurement(value, **others)
    return Entry(step // 100, step, found, state, "a sentence", evidence)


def page(folder, entries, decisions=(), options=None):
    (folder / "guard").mkdir(exist_ok=True)
    Journal(entries, decisions).write(folder / "guard" / "journal.json")
    if options is not None:
        (folder / "options.json").write_text(json.dumps(options))
    return report.write(folder).read_text()


def rows(text, title):
    """Return the cells of each row of the table below a title, without its head."""
    part = text.split(title)[1].split("</table>")[0]
    found = [re.findall(r"<td.*?>(.*?)</td>", row) for row in part.split("<tr")[2:]]
    return [[re.sub(r"<div.*</div>", "bar", cell) for cell in row] for row in found]


def rescue(step, back_to, *changes):
    return Decision(step // 100, step, "rescue", "a reason", changes, back_to)


RESCUED = [
    entry(100, 0.5), entry(200, 0.6), entry(300, 0.1, "collapsed", ("layout",)),
    entry(400, 0.55), entry(500, 0.4, "collapsing", ("layout",)),
    entry(600, 0.2, "collapsed", ("layout",)),
    entry(700, 0.61), entry(800, 0.7), entry(900, 0.8), entry(1000, 0.75),
]  # fmt: skip
RESCUES = [rescue(300, 100, "R1 <1>", "rate 2 -> 1"), rescue(600, 200, "new seeds")]


def test_each_rescue_comes_with_its_levels_and_what_came_of_it(tmp_path):
    found = rows(page(tmp_path, RESCUED, RESCUES), "What came of each rescue")
    assert found == [
        ["epoch&nbsp;3", "R1 &lt;1&gt;<br>rate 2&nbsp;&rarr;&nbsp;1",
         "0.10", "0.50", "0.55", "0.20", "0.20",
         "It collapsed again after 3 checks."],
        ["epoch&nbsp;6", "new seeds", "0.20", "0.60", "0.61", "0.80", "0.75",
         "It held, for 4 checks so far. It became better than ever before: 0.80."],
    ]  # fmt: skip


def test_a_rescue_that_no_check_followed(tmp_path):
    found = rows(page(tmp_path, RESCUED[:3], RESCUES[:1]), "What came of each rescue")
    assert found[0][2:] == [
        "0.10", "0.50", "&ndash;", "&ndash;", "&ndash;", "There was no check after it.",
    ]  # fmt: skip
    early = [rescue(50, None, "new seeds")]  # As if the checks before it were lost.
    (found,) = rows(page(tmp_path, RESCUED[:2], early), "What came of each rescue")
    assert found[2:4] == ["&ndash;"] * 2 and found[-1] == "It held, for 2 checks so far."
    lost = [rescue(300, 150, "new seeds")]  # Of a state whose check is not in the journal.
    assert rows(page(tmp_path, RESCUED[:4], lost), "What came of each")[0][3] == "&ndash;"


def test_a_divergence_after_a_rescue(tmp_path):
    entries = [*RESCUED[:4], entry(500, BROKEN, "diverged")]
    stop = Decision(5, 500, "stop", "a loss became nan", (), 200)
    (found,) = rows(page(tmp_path, entries, [RESCUES[0], stop]), "What came of each rescue")
    assert found[2:] == ["0.10", "0.50", "0.55", "&ndash;", "0.00",
                         "It diverged again after 2 checks."]  # fmt: skip


def test_a_warning_is_no_rescue(tmp_path):
    warning = Decision(3, 300, "warn", "a reason")
    text = page(tmp_path, RESCUED[:3], [warning])
    assert "What the guard did" in text and "What came of each rescue" not in text


CLASSES = [
    entry(100, 0.7, classes=(0.6, 0.8, None)),
    entry(200, 0.7, classes=(0.9, 0.8, None)),
    entry(300, 0.7, "collapsed", ("class 0",), classes=(0.2, 0.7, None)),
]


def test_each_class_has_a_line_and_one_that_fell_alone_is_marked(tmp_path):
    text = page(tmp_path, CLASSES, options={"classes": ["ant", "<bee>", "cat"]})
    assert rows(text, "Each class") == [
        ["ant", "bar", "0.20", "0.90", "fell now, alone"],
        ["&lt;bee&gt;", "bar", "0.70", "0.80", ""],
    ]
    assert text.count('<tr class="fell">') == 1
    assert "1 class has fewer than 30 images" in text
    assert re.findall(r"width: (\d+)%.*?left: (\d+)%", text) == [("20", "90"), ("70", "80")]


def test_classes_without_names_and_of_unequal_checks(tmp_path):
    together = entry(400, 0.1, "collapsed", ("layout", "class 2"), classes=(None, 0.5, 0.1))
    entries = [*CLASSES, together, entry(500, BROKEN, "diverged")]
    found = rows(page(tmp_path, entries, options={"classes": None}), "Each class")
    assert found == [
        ["0", "bar", "&ndash;", "0.90", "fell at epoch 3, alone"],
        ["1", "bar", "0.50", "0.80", ""],
        ["2", "bar", "0.10", "0.10", "fell now, with the others"],
    ]


def test_a_training_without_classes_has_no_such_part(tmp_path):
    assert "Each class" not in page(tmp_path, RESCUED)


def test_sharpness_and_copies_have_a_chart_where_they_were_measured(tmp_path):
    blurred = {"detail": (0.1, 0.1, 0.1), "distinct": 0.4, "surface": 0.5}
    text = page(tmp_path, [entry(100, 0.5), entry(200, 0.5, **blurred), entry(300, BROKEN)])
    chart = text.split("Sharpness and copies</h2>")[1].split("</svg>")[0]
    # It was measured once: each of the three lines is a point.
    assert chart.count("<circle") == 3 and 'viewBox="0 0 720 160"' in chart
    assert "colours and textures" in text
    text = page(tmp_path, RESCUED)
    assert "Sharpness and copies</h2>" not in text and "colours and textures" not in text


def test_the_last_check_lists_what_was_measured(tmp_path):
    text = page(tmp_path, [entry(100, 0.5, detail=(0.1, 1.0, 2.0), distinct=0.4)])
    found = {row[0]: row[1] for row in rows(text, "The last check")}
    assert found["finest structure"] == "0.100" and found["coarsest structure"] == "2.000"
    assert found["without a twin"] == "0.400" and "surface" not in found
    assert found["level"] == f"{measurement(0.5, detail=(0.1, 1.0, 2.0)).level:.3f}"


def test_advice_follows_the_evidence():
    plain = advice("collapsed")
    lines = advice("collapsed", [entry(100, 0.5, evidence=("blur",)), entry(200, 0.5)])
    assert lines[1:] == plain and "--critic-lr" in lines[0]
    lines = advice("collapsed", [entry(100, 0.5, evidence=("copies", "layout", "class 3"))])
    assert lines[1:] == plain and "--augment diffaugment" in lines[0] and "ada" in lines[0]
    evidence = ("class 3", "class 0", "class 11")
    lines = advice("collapsed", [entry(100, 0.5, evidence=evidence)], "<{}>".format)
    assert "These classes lost variety alone: &lt;0&gt;, &lt;3&gt;, &lt;11&gt;." in lines[0]


def test_the_page_advises_on_what_was_lost_and_not_on_what_came_back(tmp_path):
    text = page(tmp_path, CLASSES, options={"classes": ["ant", "bee", "cat"]})
    assert "One class lost variety alone: ant." in text
    dip = [entry(100, 0.7), entry(200, 0.7, "collapsing", ("blur",)), entry(300, 0.7)]
    assert "lost fine structure" in page(tmp_path, dip[:2])
    assert "lost fine structure" not in page(tmp_path, dip)
