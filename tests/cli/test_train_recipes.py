"""`kerasgan train --recipe`: a training as a file, and what the command line changes of it."""

import json

import pytest
from small_runs import SMALL

from kerasgan import catalogue


def test_a_recipe_gives_the_options_that_the_command_line_does_not(command, data, tmp_path):
    code, out, _ = command("train", "gan", "--data", data, *SMALL, "--lr", 0.01, "--dry-run")
    assert code == 0
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps({**json.loads(out), "about": {"title": "mine"}, "images": 64}))
    code, again, err = command("train", "--recipe", recipe, "--dry-run")
    assert code == 0 and json.loads(again) == json.loads(out), err
    code, changed, _ = command("train", "--recipe", recipe, "--lr", 0.5, "--dry-run")
    rates = {player: {"learning_rate": 0.5} for player in ("generator", "critic")}
    assert json.loads(changed) == {**json.loads(out), "optimizers": rates}
    code, other, _ = command("train", "dragan", "--recipe", recipe, "--dry-run")
    assert json.loads(other) == {**json.loads(out), "variant": "dragan"}
    flat = tmp_path / "flat.json"  # As version 0.1 wrote them.
    flat.write_text(json.dumps({"data": str(data), "lr": 0.5, "guard": "warn"}))
    code, old, _ = command("train", "gan", "--recipe", flat, *SMALL, "--dry-run")
    assert json.loads(old)["optimizers"] == rates and json.loads(old)["run"]["guard"] == "warn"


def test_a_configuration_of_the_authors(command, data):
    given = ["train", "r3gan", "--data", data, "--config", "ffhq-64", "--dry-run"]
    code, out, err = command(*given, "--width", 96, "--batch-size", 32, "--gamma", 1)
    assert code == 0, err
    recipe = json.loads(out)
    assert recipe["data"]["image_size"] == 64 and recipe["data"]["mirror"]
    assert recipe["networks"]["architecture"] == "r3gan" and recipe["networks"]["width"] == 96
    assert recipe["arguments"]["burn_in"] == 20_000_000 // 32 == recipe["augment"]["rise"]
    assert (recipe["arguments"]["gamma"], recipe["arguments"]["final_gamma"]) == (1.0, 0.2)
    assert recipe["batch_size"] == 32 and recipe["augment"]["fixed"] == 0.3
    assert json.loads(command(*given)[1])["batch_size"] == 256
    given[5] = "cifar-10"
    code, _, err = command(*given)
    assert "note: the authors' networks of --config cifar-10 take labels; --conditional" in err
    code, _, err = command("train", "gan", "--data", data, "--config", "ffhq-64", "--dry-run")
    assert code == 2 and "--config is one of r3gan" in err


FLAGS = [
    option
    for option in (
        *(o for entry in catalogue.VARIANTS.values() for o in entry.options),
        *catalogue.LOADING,
        *catalogue.PLAIN,
    )
    if option.kind == "flag" and option.shell
]


@pytest.mark.parametrize("option", FLAGS, ids=lambda option: option.name)
def test_a_flag_of_a_recipe_can_be_taken_back(command, data, tmp_path, option):
    variant = next((n for n, e in catalogue.VARIANTS.items() if option in e.options), "gan")
    given = ["train", variant, "--data", data, "--dry-run"]
    _, out, _ = command(*given, option.flag)
    (tmp_path / "recipe.json").write_text(out)
    back = option.flag.replace("--", "--no-", 1)
    code, again, err = command(*given, "--recipe", tmp_path / "recipe.json", back)
    assert code == 0, err
    _, never, _ = command(*given, back)
    assert f'"{option.name}": true' in out and json.loads(again) == json.loads(never)


def test_a_recipe_may_hold_what_the_command_line_mends(command, data, tmp_path):
    recipe = tmp_path / "recipe.json"
    stored = {"format": 2, "variant": "gan", "data": {"name_or_path": str(data)}}
    penalty = {"kind": "r1", "weight": 1.0, "every": 16}
    recipe.write_text(json.dumps({**stored, "augment": {"kind": "ada"}, "penalties": [penalty]}))
    given = ["train", "wgan", "--recipe", recipe, "--dry-run"]
    assert command(*given)[0] == 2
    code, out, err = command(*given, "--augment", "diffaugment", "--r1", 5)
    assert code == 0, err
    assert json.loads(out)["penalties"] == [{**penalty, "weight": 5.0}]


def test_a_path_in_a_recipe_holds_from_any_folder(command, data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps({"model": "gan", "data": data.name}))
    code, out, err = command("train", "--recipe", recipe, "--dry-run")
    assert code == 0, err
    assert json.loads(out)["data"]["name_or_path"] == str(data.resolve())


def test_a_recipe_in_critic_steps_is_cut_into_epochs(command, data, tmp_path):
    recipe = tmp_path / "recipe.json"
    stored = {"format": 2, "variant": "gan", "data": {"name_or_path": str(data)}}
    stored["networks"] = {"architecture": "mlp", "width": 4}
    recipe.write_text(json.dumps({**stored, "length": {"steps": 10}}))
    code, _, err = command("train", "--recipe", recipe, "--run-dir", tmp_path / "r")
    assert code == 0, err
    options = json.loads((tmp_path / "r" / "0001-gan-images" / "options.json").read_text())
    assert options["length"] == {"epochs": 1, "steps_per_epoch": 10}
    code, out, _ = command("train", "--recipe", recipe, "--epochs", 2, "--dry-run")
    assert code == 0 and json.loads(out)["length"] == {"epochs": 2}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "recipe.json: "),
        ("[1]", "must be a JSON object"),
        ('{"model": "gan", "epohcs": 3}', "epochs"),
        ('{"model": "gan", "data": "avatars", "epochs": "many"}', "many"),
        ('{"data": "avatars"}', "`model` must be one of"),
        ('{"model": "gan", "data": "avatars", "epochs": 2.9}', "`epochs` must be"),
        ('{"model": "gan", "data": "avatars", "latent_dim": true}', "`latent_dim` must be"),
        ('{"model": "gan", "data": "avatars", "conditional": "no"}', "`conditional` must be"),
        ('{"model": "gan", "data": ["img.npz"]}', "`name_or_path` must be"),
        ('{"model": "gan", "data": "avatars", "lr": "fast"}', "`learning_rate` must"),
        ('{"format": 2, "variant": "gan", "data": {"limit": 0}}', "`limit` must be"),
        ('{"format": 2, "variant": "gan", "colour": 1}', "colour"),
        ('{"format": 9, "variant": "gan"}', "a later kerasgan"),
        ('{"model": "gan"}', "--data is needed"),
        ('{"model": "gan", "data": "avatars", "guard": "maybe"}', "`guard` must be one of"),
        ('{"model": "gan", "data": "avatars", "grid_every": 0}', "`grid_every` must be"),
        ('{"format": 2, "variant": "gan", "run": {"colour": 1}}', "`run` must be a JSON object"),
        ('{"format": 2, "variant": "gan", "run": 3}', "`run` must be a JSON object"),
        ('{"format": 2, "variant": "gan", "networks": 3}', "`networks` must be a JSON object"),
        ('{"format": 2, "variant": "gan", "penalties": [3]}', "must be a JSON object"),
    ],
)
def test_bad_recipes(command, tmp_path, text, reason):
    recipe = tmp_path / "recipe.json"
    recipe.write_text(text)
    code, _, err = command("train", "--recipe", recipe, "--dry-run")
    assert code == 2 and reason in err


def test_a_run_goes_on_with_its_own_options_and_not_with_a_recipe(command, run_folder):
    recipe = run_folder / "options.json"
    code, _, err = command("train", "--resume", run_folder, "--recipe", recipe)
    assert code == 2 and "--recipe and --resume" in err
