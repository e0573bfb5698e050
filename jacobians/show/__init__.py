"""Rendering, apart from the model.

- `formula`, `sums`: index notation as text; `markup`: the same as HTML and LaTeX; `columns`: text in columns.
- `names`: what the values of a chain are called; `table`: the shape table; `diagram`: boxes and arrows.
- `explanation`: the derivation of one Jacobian, from `derivation` and `costs`; `pages`: on paper.
- `html`, `pattern`: what a notebook shows for a Jacobian; `plot`, `blocks`, `grid`, `entry_table`: as a picture;
  `layouts`: in other books. `style`: the look of all of it, which survives in notebooks that are not trusted.
"""
