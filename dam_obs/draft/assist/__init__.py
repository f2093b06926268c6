"""
A cost that a language model writes, judged against the template's own on executions that neither has seen.

`contest` parts the recorded executions, `prompt` says what a model is told, `model` asks one,
`answer` reads what came back, and `verdict` lets the two drafts predict. A model is somebody
else's program and what it says is hostile until shown otherwise: nothing of an answer is
believed but that it is a calculation and that it predicted better.

Whatever a model says of resources or of waiting is not taken: a back-test judges time alone.
"""
