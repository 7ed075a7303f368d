"""Categories by their names, as plans of several countries have them."""

import pytest

from domain.seat_kinds import SeatKind, kind_of_category

KINDS = {
    SeatKind.WHEELCHAIR: """
        Wheelchair|WHEELCHAIR PLACES|Accessible seating|Rollstuhlplatz|Rollstuhlplätze|Schwerbehindertenplatz
        Fauteuil roulant|PMR|Personne à mobilité réduite|Silla de ruedas|Movilidad reducida|Cadeira de rodas
        Posto in carrozzina|Rolstoelplaats|Rullstolsplats|Kørestolsplads|Miejsca dla wózków|Niepełnosprawni
        Vozíčkáři|Kerekesszékes hely|Tekerlekli sandalye|Места для колясочников|휠체어석|장애인석|車椅子席
        車いす席|轮椅席|輪椅席|無障礙席|כיסא גלגלים|Wheelchair + companion|Rollstuhl und Begleitung
        PMR et accompagnateur
    """,
    SeatKind.COMPANION: """
        Companion|Wheelchair companion|Companion (wheelchair)|Rollstuhl-Begleitung|Begleitperson
        Accompagnateur PMR|Acompañante|Acompanhante|Accompagnatore|Begeleider rolstoel|Opiekun|휠체어 동반석
        車椅子同伴者席|介助者席|陪同席|Carers
    """,
    SeatKind.RESTRICTED_VIEW: """
        Restricted view|Obstructed view|Sichtbehindert|Eingeschränkte Sicht|Visibilité réduite
        Visibilidad reducida|Beperkt zicht|시야제한석|시야 제한|見切れ席|視線不良
    """,
    SeatKind.ORDINARY: """
        Stalls|Premium|Stalls (no wheelchair access)|Parkett Mitte|Carrollton|Trolli|R석|VIP석|A席|ギャラリー
        Carré Or|Rollin' Balcony|Alpmreuth
    """,
}
NAMES = [(n.strip(), kind) for kind, names in KINDS.items() for n in names.replace("\n", "|").split("|")]


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name, kind in NAMES if name])
def test_a_category_is_of_its_kind_in_any_language(name: str, kind: SeatKind) -> None:
    assert kind_of_category(name) is kind
