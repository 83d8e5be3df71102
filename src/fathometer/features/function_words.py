"""What languages that share a script are told apart by: their most frequent function words, and
letters that some of them have and others of their script have not.

Any grammar and any primer says these; nothing here was counted in a corpus. Every language listed
is one that may be reported, and one that its relatives are held against."""

from __future__ import annotations

from typing import NamedTuple


class Marks(NamedTuple):
    """Of one language, in small letters."""

    words: str  # parted by blanks; elided ones without their apostrophe: French "l", "qu"
    letters: str  # one after another


MARKS: dict[str, Marks] = {
    "English": Marks(
        "the of and to in a is it that for on was with as i you be this are have not at but "
        "he they his from my by we or an all so if she her their me your will would there "
        "what can do just like get when no about up out which one has who had more been am "
        "how don t s m re ve ll u ur im its did too very now got go our please some than "
        "then them him were could should any after where why over into two only also still "
        "because really know want need good see make here much many other",
        "",
    ),
    "Spanish": Marks(
        "de la que el en y a los se del las un por con no una su para es al lo como más "
        "pero sus le ya o este porque esta son entre cuando muy sin sobre también me hasta "
        "hay donde quien desde todo nos uno les ni ese eso mi ella yo tu te qué está tiene "
        "fue ha ser han puede cada dos estaba sólo hace nada aquí si sí",
        "áéíóúüñ¿¡",
    ),
    "Portuguese": Marks(
        "de a o que e do da em um para é com não uma os no se na por mais as dos como mas "
        "foi ao ele das tem à seu sua ou ser quando muito há nos já está eu também só pelo "
        "pela até isso ela entre sem mesmo aos ter nas me esse eles você essa nem meu minha "
        "são pode estava fazer bem ainda sobre este esta num numa",
        "áéíóúâêôãõàç",
    ),
    "Galician": Marks(
        "o a que e de do da en un para é con non unha os no se na por máis as dos como pero "
        "foi ao el das á ou ser cando moito nos está tamén só polo pola ata iso este esta "
        "pode puido",
        "áéíóúñ",
    ),
    "Catalan": Marks(
        "de la que i el a les en un és per amb una no els del al es més com són o però ha "
        "seva molt aquest aquesta pel dels també si ser tot quan ja fins on sobre hi està "
        "li em ho aquests sense pot va han res l d",
        "àçèéíïòóúü",
    ),
    "French": Marks(
        "de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se "
        "ce il sont avec ou son je vous nous on mais cette comme être tout elle ses aux "
        "leur été ces très d l qu même fait y sans ont deux peut si bien où mon ma à tu moi "
        "aussi quand était faire avoir rien non votre toujours chez",
        "éèêëàâîïôùûçœ",
    ),
    "Italian": Marks(
        "di e il la che in a per un è del non una da sono le si con i dei al come della lo "
        "gli ha nel alla più mi se ma ho questo anche o io delle su ci cosa ti dal dalla "
        "nella era molto degli ed essere tutto suo perché l d quando sua chi due ne sul "
        "dell questa sempre senza solo stato fatto così sulla ai hanno loro mio",
        "àèéìòù",
    ),
    "Romanian": Marks(
        "de și şi în a la nu cu o pe că din este mai un care să se pentru lui ce au fost "
        "prin sau sunt ca dar al după ai am ei foarte lor când această acest acesta fi fără "
        "te îmi nici poate unui unei doar era mult asta mă ne iar între trebuie",
        "ăâîșşțţ",
    ),
    "German": Marks(
        "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als "
        "auch es an werden aus er hat dass sie nach wird bei einer um am sind noch wie "
        "einem über einen so zum war haben nur oder aber vor zur bis mehr durch man ich wir "
        "mir mich du kann wenn sehr ihr keine mein vom unter diese zwei eines seine was "
        "schon hier immer ihre kein da wurde",
        "äöüß",
    ),
    "Dutch": Marks(
        "de het een van en in is dat op te zijn met voor niet die aan er om ook als door "
        "maar naar bij uit dan nog wel of wat ik je hij ze over zich heeft hebben werd "
        "worden wordt kan deze geen meer veel zo mijn tot we heel dit was onder hun hem "
        "haar wij kunnen moet goed hier al twee",
        "éëï",
    ),
    "Afrikaans": Marks(
        "die en van in is het nie dat wat te sy om vir met op as hy ek aan was ons sal kan "
        "ook hulle n deur word jy haar maar baie by een nou daar uit hierdie geen moet kon",
        "êëéô",
    ),
    "Swedish": Marks(
        "och i att det som en på är av för med den till inte har de ett om jag han var men "
        "så från vi kan när år också vid eller under ut efter mycket hade sig man hon där "
        "nu än ska skulle blir blev mig dig detta bara vad då här två inga kunde alla mot "
        "upp någon något utan sin sitt",
        "åäö",
    ),
    "Danish": Marks(
        "og i at det som en på er af for med den til ikke har de et om jeg han var men så "
        "fra vi kan når år også ved eller under ud efter meget havde sig man hun hvor nu "
        "end skal skulle bliver blev mig dig dette kun hvad da her der noget nogle hvis "
        "være mere uden mellem op nej to gør kunne sin sit",
        "æøå",
    ),
    "Norwegian": Marks(
        "og i at det som en på er av for med den til ikke har de et om jeg han var men så "
        "fra vi kan når år også ved eller under ut etter mye hadde seg man hun hvor nå enn "
        "skal skulle blir ble meg deg dette bare hva da her noe noen hvis være mer uten "
        "mellom opp nei to gjør kunne sin sitt veldig",
        "æøå",
    ),
    "Finnish": Marks(
        "ja on ei että oli se en hän mutta ovat kun niin myös kuin olen joka sen hänen tai "
        "mukaan vain ole jos mitä nyt siitä sitä minä sekä jo ollut voi vielä minun olla "
        "siis kanssa tämä mikä ne hyvin me te koska jotka tässä tämän mitään paljon aina "
        "sitten minua oma kaikki hyvä oikein",
        "äö",
    ),
    "Estonian": Marks(
        "ja on ei et see oli ma ta kui ka aga oma mis siis selle nii või mida olen veel kes "
        "just juba väga seda ning pole ole nagu kuid ainult minu nad kus sest saab kõik "
        "peale mitte hea olid tema pärast",
        "äöõü",
    ),
    "Latvian": Marks(
        "un ir ar no uz par ka kas tas es ne bet arī vai kā lai pie to nav pēc bija tā "
        "tikai ļoti gan savu viņš kad šo tiek jau var mēs viņa ko tad ja šī kur bez man",
        "āčēģīķļņšūž",
    ),
    "Lithuanian": Marks(
        "ir kad į yra iš su ne tai kaip jis bet buvo apie tik už dar ar po iki jau aš jo "
        "taip labai kurie mano kai nuo nėra gali kuris pagal arba šio ji mes man prie per "
        "būti bei tačiau",
        "ąčęėįšųūž",
    ),
    "Polish": Marks(
        "w i z na do się nie to że jest o jak za od po co ale tak czy przez ten dla są tego "
        "już tylko jego być ze tym może go ich ma oraz które który która przy bardzo mnie "
        "kiedy jej sobie będzie jestem pod lub był było była a mi mam jako bez tej gdy ja "
        "jeszcze",
        "ąćęłńóśźż",
    ),
    "Czech": Marks(
        "a v se na je že s z do o to i si pro jsem jako za ale by po tak jeho byl co ve k "
        "jsou od které který která nebo jen už při není jsme podle také aby může ze kde "
        "velmi být jak když mi má tento pokud byla bylo její ten až mě jste bez",
        "áčďéěíňóřšťúůýž",
    ),
    "Slovak": Marks(
        "a v sa na je že s z do o to i si pre som ako za ale by po tak jeho bol čo vo k sú "
        "od ktoré ktorý ktorá alebo len už pri nie sme podľa aj aby môže zo kde veľmi byť "
        "keď mi má tento ak bola bolo jej ten až ma ste bez",
        "áäčďéíĺľňóôŕšťúýž",
    ),
    "Slovenian": Marks(
        "in je v da se na za so od s ki kar ne kot to pa o iz ni ali sem bi po z samo biti "
        "še kako jaz ima bil smo vse že do pri tudi lahko če zelo ter ker bilo bila me mi "
        "tako kaj ko ta ga jih ampak vendar zato",
        "čšž",
    ),
    "Croatian or Serbian": Marks(
        "i je u da se na za su od s koji što ne kao to a o iz nije ali sam bi koja koje ili "
        "po sa samo biti još kako ja ima bio smo sve već do kod ovo te vrlo bilo bila me mi "
        "šta tako kad ako li nema može jer jako ovaj ova nakon uz ga ih mu gdje nisam imam",
        "čćđšž",
    ),
    "Hungarian": Marks(
        "a az és hogy nem is egy ez csak de meg volt van már ki el ha még azt mint vagy "
        "kell lehet minden fel mert én ezt nagyon le sem akkor be pedig olyan úgy itt nincs "
        "mi ő amely több után ezek aki ami jó sok két jól majd ne nekem szerint",
        "áéíóöőúüű",
    ),
    "Albanian": Marks(
        "e të në dhe i për një që me nga është se si nuk më ka do janë kjo ky por tij edhe "
        "shumë unë mund ishte kur ose duke kam",
        "ëç",
    ),
    "Turkish": Marks(
        "ve bir bu da de için çok ile o ne gibi daha ama var ben mi en olarak kadar sonra "
        "değil olan her şey ya beni bana yok olduğunu mı ki sen oldu hiç benim neden şu "
        "veya diye nasıl ise onun iki biz bunu iyi güzel",
        "çğıöşüâ",
    ),
    "Azerbaijani": Marks(
        "və bir bu da də üçün çox ilə o nə kimi daha amma var mən sonra deyil olan hər ən "
        "ki bilər olaraq mənim yox heç biz",
        "çəğıöşü",
    ),
    "Indonesian or Malay": Marks(
        "yang dan di ini itu dengan untuk tidak dari dalam akan pada saya ada juga ke "
        "karena bisa sudah orang atau kami kita mereka dia adalah telah oleh saat seperti "
        "lebih anda aku kamu banyak sangat boleh daripada lagi hanya kalau belum tak apa "
        "harus bagi",
        "",
    ),
    "Vietnamese": Marks(
        "là và của có không được cho một các trong người những với này đã để khi tôi bạn "
        "rất nhưng thì cũng như đến từ về làm ra nhiều đó nào vì còn phải tại",
        "àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ",
    ),
    "Tagalog": Marks(
        "ang ng sa na ay mga at ko mo ako si ka ito hindi ni para may kung siya lang po "
        "naman ba din rin kasi niya ikaw pero",
        "",
    ),
    "Swahili": Marks(
        "na ya wa kwa ni la za katika kuwa cha hii yake pia hiyo huo au kama lakini sana "
        "hakuna baada mimi",
        "",
    ),
    "Russian": Marks(
        "и в не на что я с он как это но а к у по все всё она из за то так же от о для вы "
        "мы его бы был была были только мне было если или меня когда уже нет ещё еще её их "
        "очень при чтобы этот может есть быть до ты мой даже где со под",
        "ёйщъыьэюя",
    ),
    "Ukrainian": Marks(
        "і в на не що з у та до як це я за він а від але по його для й про є було так або "
        "ми ще тільки вони мене вже був дуже щоб також коли може цей якщо ви бути їх чи із "
        "вона мені була при під ні",
        "ґєіїйщьюя",
    ),
    "Belarusian": Marks(
        "і ў у на не што з да як гэта я за ён а ад але па яго для ці быў было так або мы "
        "яшчэ толькі яны вельмі каб таксама калі можа гэты вы быць іх мяне ёсць яна мне "
        "была пры",
        "ёійўыьэюя",
    ),
    "Bulgarian": Marks(
        "на и да се в е за от не с че са по като но ще които който си го това ми към той до "
        "или след при беше има ги ни която само както може много още аз без бе най във тя "
        "ако съм няма ме със тази този",
        "йщъьюя",
    ),
    "Macedonian": Marks(
        "на и во да се за од со не ќе е што го ги како ја кои дека но или по тоа беше има "
        "сум многу ова нема кој која при само уште јас ние оваа може ми",
        "ѓѕјљњќџ",
    ),
    "Serbian": Marks(
        "и је у да се на за су од са који што не као то а о из није али сам би која које "
        "или по само бити још како ја има био смо све већ до код ово врло било била ми шта "
        "може јер јако овај након уз га их нисам",
        "ђјљњћџ",
    ),
    "Kazakh": Marks(
        "және мен бұл бір да де үшін деп ол болып бар емес осы сол еді өте кейін жоқ болды "
        "менің көп біз",
        "әғқңөұүһійыэюя",
    ),
    "Mongolian": Marks(
        "нь байна юм энэ бол ба гэж ч би тэр байсан болон их бас хийх маш миний байгаа",
        "ёйөүыьэюя",
    ),
    "Arabic": Marks(
        "في من على إلى أن لا ما هذا هذه عن مع كان التي الذي هو هي أو ثم قد كل بعد لم بين "
        "لكن كما إن عند غير حتى يا لقد جدا كانت أنا ذلك",
        "أإآةىيكؤئ",
    ),
    "Persian": Marks(
        "و در به از که این را با است برای آن یک خود تا بر هم نیز می شود شد ها ما من او هر "
        "اگر باید دارد کرد بود ولی هست خیلی نمی کنید",
        "پچژگکیآ",
    ),
    "Urdu": Marks(
        "کے کی ہے میں اور کا سے کو نے پر ہیں یہ کہ بھی تھا ہو اس ایک نہیں وہ جو تو ہی گیا کر لیے",
        "ٹڈڑںےہھپچگکیآ",
    ),
    "Hindi": Marks(
        "है के की का में और से को पर यह हैं ने कि एक नहीं भी हो था इस कर जो तो मैं वह लिए "
        "हम या बहुत साथ अपने थी रहा",
        "",
    ),
    "Marathi": Marks(
        "आहे आणि या ते च्या मध्ये हे तो ही होते नाही की एक पण आहेत मी व करून साठी हा त्या काय झाला खूप असे केले",
        "ळ",
    ),
    "Nepali": Marks(
        "छ र को मा हो यो पनि छन् लागि तर भने गर्ने एक गरेको थियो म हरु हुन् धेरै ले गर्न त्यो भएको",
        "",
    ),
}
