"""Name the colours of figures, and say how a page or a file shows them.

Figures are drawn with stand-ins, which are replaced in the SVG: by variables of the page's style sheet, so that light
and dark each have their own, or by fixed colours for a file. Hues are those of Okabe & Ito (2008), which people with
any kind of colour vision tell apart.
"""

from collections.abc import Mapping

LIGHT: Mapping[str, str] = {
    "ink": "#1d1d20",
    "muted": "#63656d",
    "line": "#e1e0da",
    "paper": "#ffffff",
    "blue": "#0072b2",
    "orange": "#d98200",
    "green": "#009e73",
    "red": "#d55e00",
    "purple": "#b8649a",
    "sky": "#3f9fd8",
}
DARK: Mapping[str, str] = {
    "ink": "#ebeae6",
    "muted": "#a3a5ad",
    "line": "#34363b",
    "paper": "#17181b",
    "blue": "#5ab4ee",
    "orange": "#efab3d",
    "green": "#35c79b",
    "red": "#f58549",
    "purple": "#dc94bf",
    "sky": "#8ccdf3",
}
STAND_INS: Mapping[str, str] = {name: f"#0a0b{index + 16:02x}" for index, name in enumerate(LIGHT)}
AS_VARIABLES: Mapping[str, str] = {stand_in: f"var(--{name})" for name, stand_in in STAND_INS.items()}
AS_COLOURS: Mapping[str, str] = {stand_in: LIGHT[name] for name, stand_in in STAND_INS.items()}
