"""No module imports another one that imports it: not at run time, and not where only types are asked for."""

import grimp
import pytest


def circles(graph: grimp.ImportGraph) -> set[str]:
    """Return the shortest circle through each import that is part of one."""
    found = set()
    for importer in graph.modules:
        for imported in graph.find_modules_directly_imported_by(importer):
            back = graph.find_shortest_chain(importer=imported, imported=importer)
            if back is not None:
                first = back.index(min(back))
                found.add(" → ".join([*back[first:], *back[:first], back[first]]))
    return found


@pytest.mark.parametrize("only_at_run_time", [True, False])
def test_no_module_imports_one_that_imports_it(only_at_run_time):
    graph = grimp.build_graph("xlbias", exclude_type_checking_imports=only_at_run_time, cache_dir=None)
    assert len(graph.modules) > 300
    found = circles(graph)
    assert not found, "\n".join(["circles of imports:", *sorted(found)])


def test_a_circle_is_found_and_told_once():
    graph = grimp.ImportGraph()
    for importer, imported in ["ab", "bc", "ca", "cd", "de", "ed", "ef"]:
        graph.add_import(importer=importer, imported=imported)
    assert circles(graph) == {"a → b → c → a", "d → e → d"}
