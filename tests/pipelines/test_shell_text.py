"""Shell text: a caller's input arrives whole in every place, and is a command in none."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runline.pipelines.shell_text import BadReference, shell_text
from runline.testing.corpus import BAD_TEXTS

HOSTILE = "$(touch owned) `touch owned` '\"\\ * ~ ;|&><\n #x ${HOME} %s  two  spaces"
X = "{{ input.x }}"


def said(source: str, value: str) -> str:
    """What a real shell prints for that text, with the input in its environment."""
    done = subprocess.run(
        ["/bin/sh", "-c", shell_text(source)],
        env={"RUNLINE_INPUT_X": value, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=True,
    )
    return done.stdout.decode("utf-8", "surrogateescape")


@pytest.mark.parametrize(
    ("source", "printed"),
    [
        (f"printf %s {X}", "VALUE"),
        (f'printf %s "{X}"', "VALUE"),
        (f'printf "%s" "a {X} b"', "a VALUE b"),
        (f"printf %s a{X}b", "aVALUEb"),
        (f'printf "%s" "$(printf %s {X})"', "VALUE"),
        (f'printf "%s" "$(printf \'%s\' {X})"', "VALUE"),
        (f'x=`printf %s {X}`; printf %s "$x"', "VALUE"),
        (f"printf '%s\\'\"'%s\" {X} {X}", "VALUE\\'VALUE"),
        (f"(printf %s {X}) # it's {X}\n", "VALUE"),
        (f"# it's\nprintf %s {X}", "VALUE"),
        (f'cat <<EOF\nit\'s "{X}" here\nEOF\nprintf %s {X}', 'it\'s "VALUE" here\nVALUE'),
        (f"cat <<-EOF; printf x\n\t{X}\n\tEOF\n", "VALUE\nx"),
        (f"cat <<A <<'B'\n{X}\nA\nplain\nB\n", "plain\n"),
        (f"echo $((1 + 2)); printf %s {X}", "3\nVALUE"),
        (f"echo $(( (1 + 2) * 2 )); printf %s {X}", "6\nVALUE"),
        (f"case a in a) printf %s {X};; esac", "VALUE"),
        (f'printf %s \\"{X}', '"VALUE'),
        (f"set -u; printf %s {X}", "VALUE"),
        (f"cat <<EOF\n{X}", "VALUE"),
        ("printf %s a#b", "a#b"),
        ("printf '%s' '{{ other }}'", "{{ other }}"),
    ],
)
def test_a_value_arrives_whole(source: str, printed: str) -> None:
    assert said(source, HOSTILE) == printed.replace("VALUE", HOSTILE)


@pytest.mark.parametrize("value", BAD_TEXTS.values(), ids=BAD_TEXTS)
def test_every_odd_text_arrives_whole(value: str) -> None:
    value = value.replace("\0", "�").encode("utf-8", "replace").decode()
    assert said(f"printf %s {X}", value) == value


def test_what_is_missing_is_empty_even_where_unset_names_are_errors() -> None:
    assert said("set -u; printf '<%s>' {{ input.other }}", "x") == "<>"


@pytest.mark.parametrize(
    ("source", "place"),
    [
        (f"echo '{X}'", "single quotes"),
        (f"sh -c 'echo {X}'", "single quotes"),
        (f"echo $(({X} + 1))", "arithmetic"),
        (f"echo $(( ({X}) ))", "arithmetic"),
        (f'echo "$((  "{X}" ))"', "arithmetic"),
        (f"cat <<'EOF'\n{X}\nEOF\n", "a quoted here-document"),
        (f"cat <<\\EOF\n{X}\nEOF\n", "a quoted here-document"),
    ],
)
def test_a_place_where_no_shell_would_read_it_is_refused(source: str, place: str) -> None:
    with pytest.raises(BadReference, match=place) as caught:
        shell_text(source)
    assert caught.value.reference.path == ("x",)


@given(st.text(alphabet="ab '\"`$()\\\n#<E{}-", max_size=80))
def test_text_without_a_reference_stays_as_it_is(source: str) -> None:
    assert shell_text(source) == source
