from fathometer.wording import counted, listed


def test_one_is_singular():
    assert [counted(n, "row") for n in (0, 1, 1891)] == ["0 rows", "1 row", "1,891 rows"]


def test_a_noun_may_bring_its_own_plural():
    assert [counted(n, "class", "classes") for n in (1, 2)] == ["1 class", "2 classes"]


def test_the_last_of_a_list_is_joined_by_and():
    said = [listed(words) for words in ((), ("a",), ("a", "b"), ("a", "b", "c"))]
    assert said == ["", "a", "a and b", "a, b and c"]
