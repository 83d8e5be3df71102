"""Which language texts are guessed to be in: right, or not said."""

import unicodedata
from collections import Counter

import numpy as np
import pyarrow.parquet as pq
import pytest

from fathometer.features.function_words import MARKS
from fathometer.features.languages import DECIDED, MOST_TEXTS, guessed, languages_of
from fathometer.features.scripts import SCRIPTS
from fathometer.features.text_tokens import Unit, tokens_of
from fathometer.table.kind import Kind
from fathometer.table.table import column_from
from shared_files import shared

# As customers write; no list of words was made from them.
SENTENCES = {
    "English": (
        "The parcel came two days late and the box was torn.",
        "I would not buy this again, it broke after a week.",
        "Great sound, but the battery does not last as long as they say.",
        "My mother uses it every day and she loves it.",
    ),
    "German": (
        "Das Paket kam zwei Tage zu spät und der Karton war zerrissen.",
        "Ich würde es nicht noch einmal kaufen, nach einer Woche war es kaputt.",
        "Toller Klang, aber der Akku hält nicht so lange wie versprochen.",
        "Meine Mutter benutzt es jeden Tag und ist sehr zufrieden.",
    ),
    "French": (
        "Le colis est arrivé avec deux jours de retard et le carton était déchiré.",
        "Je ne l'achèterais pas une seconde fois, il s'est cassé au bout d'une semaine.",
        "Très bon son, mais la batterie ne tient pas aussi longtemps qu'annoncé.",
        "Ma mère s'en sert tous les jours et elle en est ravie.",
    ),
    "Spanish": (
        "El paquete llegó dos días tarde y la caja estaba rota.",
        "No lo volvería a comprar, se rompió después de una semana.",
        "Muy buen sonido, pero la batería no dura tanto como dicen.",
        "Mi madre lo usa todos los días y le encanta.",
    ),
    "Portuguese": (
        "A encomenda chegou com dois dias de atraso e a caixa estava rasgada.",
        "Não compraria de novo, avariou ao fim de uma semana.",
        "O som é muito bom, mas a bateria não dura tanto como dizem.",
        "A minha mãe usa todos os dias e não quer outra coisa.",
    ),
    "Italian": (
        "Il pacco è arrivato con due giorni di ritardo e la scatola era strappata.",
        "Non lo comprerei di nuovo, si è rotto dopo una settimana.",
        "Ottimo suono, ma la batteria non dura quanto dicono.",
        "Mia madre lo usa tutti i giorni e ne è molto contenta.",
    ),
    "Dutch": (
        "Het pakket kwam twee dagen te laat en de doos was gescheurd.",
        "Ik zou het niet nog eens kopen, na een week was het stuk.",
        "Mooi geluid, maar de accu gaat niet zo lang mee als ze zeggen.",
        "Mijn moeder gebruikt het elke dag en is er heel blij mee.",
    ),
    "Swedish": (
        "Paketet kom två dagar för sent och kartongen var trasig.",
        "Jag skulle inte köpa den igen, den gick sönder efter en vecka.",
        "Bra ljud, men batteriet räcker inte så länge som de säger.",
        "Min mamma använder den varje dag och är mycket nöjd.",
    ),
    "Danish": (
        "Pakken kom to dage for sent, og æsken var revet i stykker.",
        "Jeg ville ikke købe den igen, den gik i stykker efter en uge.",
        "God lyd, men batteriet holder ikke så længe, som de siger.",
        "Min mor bruger den hver dag og er meget glad for den nu.",
    ),
    "Norwegian": (
        "Pakken kom to dager for sent, og esken var revet opp.",
        "Jeg ville ikke kjøpt den igjen, den gikk i stykker etter en uke.",
        "Bra lyd, men batteriet varer ikke så lenge som de sier.",
        "Moren min bruker den hver dag og er veldig fornøyd med den nå.",
    ),
    "Finnish": (
        "Paketti tuli kaksi päivää myöhässä ja laatikko oli revennyt.",
        "En ostaisi tätä uudestaan, se meni rikki jo viikon jälkeen.",
        "Hyvä ääni, mutta akku ei kestä niin kauan kuin he sanovat.",
        "Äitini käyttää sitä joka päivä ja on hyvin tyytyväinen.",
    ),
    "Polish": (
        "Paczka przyszła dwa dni za późno, a pudełko było podarte.",
        "Nie kupiłabym tego drugi raz, zepsuło się po tygodniu.",
        "Świetny dźwięk, ale bateria nie trzyma tak długo, jak obiecują.",
        "Moja mama używa go codziennie i jest bardzo zadowolona.",
    ),
    "Czech": (
        "Balík přišel o dva dny později a krabice byla roztržená.",
        "Znovu bych to nekoupil, po týdnu se to rozbilo.",
        "Skvělý zvuk, ale baterie nevydrží tak dlouho, jak slibují.",
        "Moje máma ho používá každý den a je velmi spokojená.",
    ),
    "Hungarian": (
        "A csomag két nappal később jött meg, és a doboz el volt szakadva.",
        "Még egyszer nem venném meg, egy hét után elromlott.",
        "Nagyon jó a hangja, de az akkumulátor nem bírja olyan sokáig.",
        "Anyám minden nap használja, és nagyon szereti.",
    ),
    "Romanian": (
        "Coletul a venit cu două zile întârziere și cutia era ruptă.",
        "Nu l-aș mai cumpăra, s-a stricat după o săptămână.",
        "Sunet foarte bun, dar bateria nu ține atât cât spun ei.",
        "Mama mea îl folosește în fiecare zi și este foarte mulțumită.",
    ),
    "Turkish": (
        "Paket iki gün geç geldi ve kutu yırtılmıştı.",
        "Bir daha almam, bir hafta sonra bozuldu.",
        "Sesi çok güzel ama pili dedikleri kadar uzun gitmiyor.",
        "Annem her gün kullanıyor ve çok memnun.",
    ),
    "Indonesian or Malay": (
        "Paketnya datang dua hari terlambat dan kotaknya sudah sobek.",
        "Saya tidak akan membeli ini lagi, rusak setelah seminggu.",
        "Suaranya bagus, tetapi baterainya tidak tahan lama seperti yang dijanjikan.",
        "Ibu saya memakainya setiap hari dan dia sangat senang.",
    ),
    "Vietnamese": (
        "Gói hàng đến muộn hai ngày và hộp bị rách.",
        "Tôi sẽ không mua lại, dùng một tuần đã hỏng.",
        "Âm thanh rất hay nhưng pin không dùng được lâu như quảng cáo.",
        "Mẹ tôi dùng nó mỗi ngày và rất thích.",
    ),
    "Croatian or Serbian": (
        "Paket je stigao dva dana kasnije i kutija je bila poderana.",
        "Ne bih to ponovno kupio, pokvarilo se nakon tjedan dana.",
        "Zvuk je odličan, ali baterija ne traje koliko kažu.",
        "Moja mama ga koristi svaki dan i vrlo je zadovoljna.",
    ),
    "Russian": (
        "Посылка пришла на два дня позже, и коробка была порвана.",
        "Больше я бы это не купил, сломалось через неделю.",
        "Звук отличный, но батарея не держит так долго, как обещали.",
        "Моя мама пользуется им каждый день и очень довольна.",
    ),
    "Ukrainian": (
        "Посилка прийшла на два дні пізніше, і коробка була розірвана.",
        "Більше я б це не купив, зламалося через тиждень.",
        "Звук чудовий, але батарея не тримає так довго, як обіцяли.",
        "Моя мама користується ним щодня і дуже задоволена.",
    ),
    "Bulgarian": (
        "Пратката дойде два дни по-късно и кутията беше скъсана.",
        "Не бих го купил отново, счупи се след една седмица.",
        "Звукът е чудесен, но батерията не издържа толкова, колкото казват.",
        "Майка ми го ползва всеки ден и е много доволна.",
    ),
    "Arabic": (
        "وصل الطرد متأخرا يومين وكانت العلبة ممزقة.",
        "لن أشتري هذا مرة أخرى، لقد تعطل بعد أسبوع.",
        "الصوت جيد جدا لكن البطارية لا تدوم كما يقولون.",
        "أمي تستخدمه كل يوم وهي سعيدة جدا به.",
    ),
    "Persian": (
        "بسته دو روز دیر رسید و جعبه پاره بود.",
        "دیگر این را نمی خرم، بعد از یک هفته خراب شد.",
        "صدای خوبی دارد ولی باتری آن زیاد دوام ندارد.",
        "مادرم هر روز از آن استفاده می کند و خیلی راضی است.",
    ),
    "Hindi": (
        "पैकेट दो दिन देर से आया और डिब्बा फटा हुआ था।",
        "मैं इसे फिर से नहीं खरीदूँगा, एक हफ्ते में खराब हो गया।",
        "आवाज़ बहुत अच्छी है लेकिन बैटरी उतनी देर नहीं चलती।",
        "मेरी माँ हर दिन इसका उपयोग करती हैं और वह बहुत खुश हैं।",
    ),
}


def column(texts):
    return column_from("review", Kind.TEXT, texts)


def languages(texts):
    return guessed(column(texts))[0]


def drawn(path, name, most=MOST_TEXTS):
    """Some texts of a public set, the same at every call."""
    texts = [text for text in pq.read_table(shared(path))[name].to_pylist() if text.strip()]
    chosen = np.random.default_rng(1).choice(len(texts), min(most, len(texts)), replace=False)
    return [texts[place] for place in chosen]


@pytest.mark.parametrize("language", SENTENCES)
def test_sentences_are_guessed_right_or_left_open(language):
    found = Counter(languages(SENTENCES[language]))
    assert set(found) <= {language, ""}
    assert found[language] >= 3


def test_no_sentence_is_taken_for_another_language_among_many():
    texts = [(text, name) for name, own in SENTENCES.items() for text in own]
    found = languages([text for text, _ in texts])
    assert [
        pair for pair in zip(texts, found, strict=True) if pair[1] not in ("", pair[0][1])
    ] == []


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("很好", "Chinese"),
        ("这个杯子很好，下次还会买", "Chinese"),
        ("我的iPhone手机坏了", "Chinese"),
        ("#天气#今天真好@朋友", "Chinese"),
        ("とても良い商品です", "Japanese"),
        ("배송이 빨라요", "Korean"),
        ("สินค้าดีมาก", "Thai"),
        ("Πολύ καλό προϊόν", "Greek"),
        ("מוצר מצוין", "Hebrew"),
        ("ძალიან კარგია", "Georgian"),
        ("Շատ լավ է", "Armenian"),
        ("খুব ভালো", "Bengali"),
        ("மிகவும் நல்லது", "Tamil"),
        ("చాలా బాగుంది", "Telugu"),
        ("ખૂબ સરસ", "Gujarati"),
    ],
)
def test_a_script_of_one_language_decides(text, language):
    assert languages([text]) == [language]


@pytest.mark.parametrize(
    "text",
    [
        "🙂😡", "12 345", "!!!", "<br /><br />", "https://example.org/die/und/der", "@der @die",
        "Ω", "ok", "lol haha", "na na na na na", "no no no", "la la la la", "die die die",
        "Ok lar... Joking wif u oni...", "Samsung Galaxy S23 Ultra 256 GB", "\0", "\u202e\ufeff",
    ],
)  # fmt: skip
def test_a_text_that_says_no_language_is_left_open(text):
    assert languages([text]) == [""]


@pytest.mark.parametrize(
    ("path", "name", "language", "most_open"),
    [
        ("text/imdb.parquet", "text", "English", 0.01),
        ("text/banking77.parquet", "text", "English", 0.03),
        ("text/sms_spam.parquet", "text", "English", 0.12),
        ("text/tweeteval_emotion.parquet", "text", "English", 0.12),
        ("translation/multi30k_en_de.parquet", "en", "English", 0.1),
        ("translation/multi30k_en_de.parquet", "de", "German", 0.05),
    ],
)
def test_public_texts_are_hardly_ever_taken_for_another_language(path, name, language, most_open):
    texts = drawn(path, name)
    found = Counter(languages(texts))
    assert len(texts) - found[language] - found[""] <= 0.001 * len(texts)
    assert found[""] <= most_open * len(texts)


def test_rows_that_take_turns_between_two_languages_are_called_mixed():
    pairs = pq.read_table(shared("translation/multi30k_en_de.parquet"))
    texts = [text for pair in zip(pairs["en"], pairs["de"], strict=True) for text in pair]
    found = languages_of(column([text.as_py() for text in texts[: 4 * MOST_TEXTS]]))
    assert dict(found.shares) == pytest.approx({"English": 0.47, "German": 0.49}, abs=0.03)
    assert set(found.mixed) == {"English", "German"}
    assert (found.texts, found.of) == (MOST_TEXTS, 4 * MOST_TEXTS)
    first, second = found.sentences()
    assert first.startswith("Languages, guessed from 3,000 texts: German 4")
    assert second == "Mixed: German and English, each in 10% of the texts or more."


def test_two_scripts_are_called_mixed_where_no_two_languages_are():
    found = languages_of(column(["xyz qwrt", "жшщ цчф"] * 5))
    assert found.shares == ()
    assert found.mixed == ("Latin", "Cyrillic")
    assert found.sentences()[0] == "Languages, guessed: short or not recognised 100%."


def test_latin_names_do_not_make_a_chinese_column_mixed():
    found = languages_of(column(["用Windows记事本打开README文件", "这个杯子很好"] * 5))
    assert found.shares == (("Chinese", 1.0),)
    assert found.mixed == ()


def test_japanese_which_mixes_scripts_is_not_called_mixed():
    found = languages_of(column(["漢字仮名交じり文です", "東京都", "カタカナ", "とても良い"] * 5))
    assert found.shares == (("Japanese", 0.75),)  # 東京都 may be either
    assert found.mixed == ()


def test_a_few_texts_of_another_language_are_not_told():
    found = languages_of(column([*SENTENCES["English"]] * 50 + [SENTENCES["German"][0]]))
    assert [name for name, _ in found.shares] == ["English"]
    assert found.mixed == ()


def test_the_order_of_the_rows_does_not_matter():
    texts = [text for own in SENTENCES.values() for text in own]
    forwards = languages_of(column(texts))
    assert dict(languages_of(column(texts[::-1])).shares) == dict(forwards.shares)


def test_letters_with_their_accents_apart_are_the_same():
    texts = [text for own in SENTENCES.values() for text in own]
    apart = [unicodedata.normalize("NFD", text) for text in texts]
    assert languages(apart) == languages(texts)


@pytest.mark.parametrize("name", MARKS)
def test_marks_are_written_as_they_are_found(name):
    words, letters = MARKS[name].words.split(), MARKS[name].letters
    assert len(words) == len(set(words)) >= 15
    assert tokens_of(column([" ".join(words)]), Unit.WORDS).alphabet == tuple(words)
    signs = tokens_of(column([letters]), Unit.CHARACTERS).alphabet
    assert [letter for letter in letters if letter not in signs] == []
    assert unicodedata.normalize("NFC", letters + MARKS[name].words) == letters + MARKS[name].words


def test_scripts_that_decide_exist_and_name_no_language_that_words_tell():
    assert set(DECIDED) <= set(SCRIPTS)
    assert not set(DECIDED.values()) & set(MARKS)
