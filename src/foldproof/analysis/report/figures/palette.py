"""Name the colours of figures, and say how a page or a file shows them.

In a page they are variables of its style sheet, so that light and dark each have their own. Hues are those of Okabe &
Ito (2008), which people with any kind of colour vision tell apart.
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
AS_VARIABLES: Mapping[str, str] = {name: f"var(--{name})" for name in LIGHT}
