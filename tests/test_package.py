"""What pip installs: the wheel, built from the sdist as an index would have it, and run away from the checkout."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
HOOK = "import sys, {module} as backend; print(backend.build_{kind}(sys.argv[1]))"


class Package(NamedTuple):
    sdist: Path
    wheel: Path
    site: Path  # where the wheel is installed, without what it depends on


def start(*words: str, cwd: Path, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Python in a child process that imports from a folder before all others, and has no input."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV"))}
    if path:
        environment["PYTHONPATH"] = str(path)
    environment |= {"PYTHONIOENCODING": "utf-8", "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1"}
    none = subprocess.DEVNULL
    command = [sys.executable, *words]
    return subprocess.run(command, cwd=cwd, env=environment, stdin=none, capture_output=True, encoding="utf-8")


def python(*words: str, cwd: Path, path: Path | None = None) -> str:
    """What such a child prints; it must end well."""
    done = start(*words, cwd=cwd, path=path)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(kind: str, project: Path, into: Path, backend: Path | None) -> Path:
    """Builds as pip does: by calling the backend that pyproject.toml names, in the project's folder."""
    module = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["build-system"]["build-backend"]
    into.mkdir()
    printed = python("-c", HOOK.format(module=module, kind=kind), str(into), cwd=project, path=backend)
    return into / printed.split()[-1]


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """Where the build backend lies, if not beside pytest; a test that needs it is skipped where pip cannot get it."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["build-system"]
    if importlib.util.find_spec(settings["build-backend"].partition(".")[0]):
        return None
    folder = tmp_path_factory.mktemp("backend")
    wanted = ("install", "-q", "--retries", "0", "--timeout", "5", "--target", str(folder), *settings["requires"])
    if start("-m", "pip", *wanted, cwd=folder).returncode:
        pytest.skip(f"no {' '.join(settings['requires'])} to build with, and no index that pip could take it from")
    return folder


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory, backend: Path | None) -> Package:
    if not importlib.util.find_spec("pip"):
        pytest.skip("this environment has no pip to install the wheel with")
    folder = tmp_path_factory.mktemp("package")
    sdist = build("sdist", ROOT, folder / "sdist", backend)
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    (unpacked,) = (folder / "unpacked").iterdir()
    wheel = build("wheel", unpacked, folder / "wheel", backend)
    site = folder / "site"
    install = ("install", "-q", "--no-index", "--no-deps", "--no-compile", "--target", str(site), str(wheel))
    python("-m", "pip", *install, cwd=folder)
    return Package(sdist, wheel, site)


def files_of(*folders: str) -> set[str]:
    """The files of the checkout in some folders."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*"))
    names = (path.relative_to(ROOT) for path in found if path.is_file())
    return {name.as_posix() for name in names if not any(part.startswith((".", "__pycache__")) for part in name.parts)}


def test_the_wheel_holds_the_package_and_its_zoo_and_nothing_else(package: Package) -> None:
    with zipfile.ZipFile(package.wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == files_of("archcalc") | {f"archcalc/{name}" for name in files_of("specs")}
    assert "archcalc/specs/vgg.arch" in held


def test_the_sdist_holds_what_it_takes_to_test(package: Package) -> None:
    with tarfile.open(package.sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert held >= files_of("archcalc", "specs", "tests") | {"README.md", "pyproject.toml"}


def test_an_installed_archcalc_runs_from_its_own_files(package: Package, tmp_path: Path) -> None:
    where = python("-c", "import archcalc; print(archcalc.__file__)", cwd=tmp_path, path=package.site)
    assert Path(where.strip()) == package.site / "archcalc" / "__init__.py"


def test_an_installed_archcalc_knows_vgg16(package: Package, tmp_path: Path) -> None:
    printed = python("-m", "archcalc", "table", "vgg16", "--exact", cwd=tmp_path, path=package.site)
    assert "138,357,544" in printed  # Simonyan & Zisserman 2014 say 138M; torchvision's vgg16 has exactly these


def test_an_installed_archcalc_lists_its_zoo(package: Package, tmp_path: Path) -> None:
    printed = python("-m", "archcalc", "list", cwd=tmp_path, path=package.site)
    assert {"lenet5", "alexnet", "vgg16", "resnet50"} <= set(printed.split())


def test_the_command_is_installed_and_reads_no_input(package: Package, tmp_path: Path) -> None:
    (script,) = (path for path in (package.site / "bin").iterdir() if path.stem == "archcalc")
    assert python(str(script), "--version", cwd=tmp_path, path=package.site).startswith("archcalc ")
