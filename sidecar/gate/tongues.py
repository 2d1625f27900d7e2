"""The wordings of `phrases` in other languages; same notation, folded, so without accents.

German, French, Spanish, Italian, Portuguese, Dutch, Polish, Swedish, Turkish; Russian by its
look-alike letters; and, without words to go by, Chinese, Japanese, Korean and Arabic.
"""

import re
from typing import Final

from sidecar.gate.wording import ADDRESSED, OVERRIDE, POSING, ROLE, SECRECY, wording

_DE_ORDERS: Final = (
    r"(anweisung|instruktion|vorgabe|befehl|regel|richtlinie|prompt|auftrag|aufgabe)\w*"
)
_ROMANCE_ORDERS: Final = (
    r"(instruc\w+|instruz\w+|istruzion\w+|consignes|directives|regles|indicaciones|ordenes|reglas|"
    r"directrices|regole|comandi|ordens|regras|prompts?|comandos)"
)
_KI: Final = (
    r"(ki|ki-\w+|ki (assistent\w*|agent\w*|modell\w*|system\w*)|sprachmodelle?|chatbots?|llms?|"
    r"(e-?mail|mail|virtuelle\w*|digitale\w*)[-\s]?(assistent|agent)\w*)"
)
_IA: Final = (
    r"(ia|intelligence artificielle|modele de langage|modelo de lenguaje|inteligencia artificial|"
    r"modello linguistico|modelo de linguagem|(assistant|agent|asistente|agente|assistente)"
    r"( virtuel| virtual| virtuale)?( d'| de | di )?ia|asistente virtual|assistant virtuel|"
    r"chatbot|taalmodel|ai-assistent)"
)
_TUN: Final = (
    r"(sende|schicke?|uberweise|leite|losche|antworte|gib|zeige?|fuhre|offne|rufe?|trage?|nenne|"
    r"schreibe?|bewerte|andere|erstelle|musst|sollst|muss|soll|bitte|fuge?|kopiere|lade|"
    r"bestatige|genehmige|erwahne|ignoriere|buche|kaufe?|zahle|bezahle|veroffentliche|markiere|"
    r"befolge|setze|lege|envo\w+|transf\w+|supprim\w+|repond\w*|affich\w+|ajout\w+|pay\w+|"
    r"approuv\w+|partag\w+|ecri\w+|execut\w+|envia\w*|reenvi\w+|borr\w+|respond\w+|"
    r"muestr\w+|anad\w+|pag\w+|aprueb\w+|aprob\w+|compart\w+|debes?|invi\w+|inoltr\w+|mostra|"
    r"cancell\w+|dev[ie]|doit|dois|devez|deve|stuur\w*|betaal\w*|verwijder\w*|faca|fai|fais|"
    r"faites|haz|recommand\w+|recomiend\w+|stornier\w+|lass)"
)

ABROAD: Final = (
    wording(
        OVERRIDE,
        "ignoriere ignorieren ignorier ignoriert vergiss vergesst vergessen missachte missachten "
        "verwirf verwerfen uberschreibe uberschreiben beachte beachten befolge",
        r"(ignorier(e|en|t)?|vergiss|vergesst|vergessen|missachten?|verwirf|verwerfen|"
        r"uberschreiben?|beachten?|befolge)( sie)?( bitte| jetzt| sofort)?( (?!meine)\w+){0,3} "
        r"(alle|alles|bisherig\w*|vorherig\w*|fruher\w*|obig\w*|vorangegangen\w*|vorangehend\w*|"
        rf"deine|vorig\w*|ursprunglich\w*|systemprompt)( \w+){{0,3}} {_DE_ORDERS}",
    ),
    wording(
        POSING,
        "bevor & aufgabe anfrage frage antwortest losung nutzer benutzer",
        r"bevor (du|sie)( \w+){0,5} (aufgabe|anfrage|frage|nutzers?|benutzers?|antwortest|"
        rf"fortfahrst)( \w+){{0,3}},? {_TUN}",
        "value|machine|user",
    ),
    wording(
        OVERRIDE,
        "neue neuer aktualisierte geheime & anweisung anweisungen auftrag "
        "aufgabe systemanweisung systemanweisungen",
        r"(neue[rns]?|aktualisierte|geheime) (system)?(anweisung(en)?|auftrag|aufgabe)"
        rf"( (an|fur) \w+( \w+)?)?[\s.]{{0,2}}:? ?{_TUN}",
        "value|user|machine",
    ),
    wording(
        ADDRESSED,
        "ki sprachmodell sprachmodelle assistent assistenten agent chatbot llm",
        rf"((als|wenn du|da du|falls du|du bist)( eine?| ein)? {_KI}|(hinweis|nachricht|anweisung|"
        rf"anweisungen|notiz|achtung|an|fur|liebe[rs]?|hallo)( (an|fur))?( (die|den|das|alle|jede|"
        rf"jeden))?( \w+)? {_KI}|{_KI} ?:|(der|die|das|jeder|jede|alle) {_KI} "
        rf"(muss|mussen|soll|sollen|hat|haben)( \w+){{0,3}} (sofort|jetzt|zuerst|stattdessen))"
        rf"[^.?]{{0,80}}?[\s,:.]{{1,3}}{_TUN}",
        "value|once|user|order",
    ),
    wording(
        ADDRESSED,
        "ki sprachmodell sprachmodelle assistent assistenten chatbot llm",
        rf"((hinweis|nachricht|anweisung|anweisungen|notiz|achtung) (an|fur)( (die|den|das|alle))?|"
        rf"an( (die|den|das|alle))?) {_KI} ?:|(als|wenn du|da du|falls du)( eine?| ein)? {_KI}"
        r"( bist)?,",
    ),
    wording(
        SECRECY,
        "nutzer benutzer anwender user nutzers benutzers",
        r"((sag|sage|erzahle?|informiere?|verrate?|erwahne?|verschweige?|teile?)( \w+){0,5} "
        r"(nutzer|"
        r"benutzer|anwender|user)( \w+){0,3} (nicht|nichts|kein\w*)|"
        r"ohne( (den|die|dass der))? (nutzer|benutzer|anwender|user)( zu)?( davon)? (fragen|"
        r"informieren|"
        r"benachrichtigen|wissen|zu)|(nutzer|benutzer|anwender) (darf|soll|muss)( \w+){0,3} "
        r"(nicht|nichts)( \w+){0,2} (erfahren|wissen|merken|informiert))",
    ),
    wording(
        SECRECY,
        "ohne & ruckfrage bestatigung nachzufragen fragen genehmigung",
        r"(?<!nicht\s)(?<!nichts\s)ohne (jede |weitere |eine )?(ruckfrage|nachzufragen|bestatigung|"
        r"zu fragen|genehmigung)",
        "value|machine|user & machine|user",
    ),
    wording(
        ROLE,
        "bist & assistent ki bot modus agent modell",
        r"du bist (jetzt|nun|ab sofort|nicht mehr|nicht langer)( \w+){0,5} "
        r"(ki|bot|modus|sprachmodell|assistent ohne|agent ohne)",
    ),
    wording(
        OVERRIDE,
        "ignorez ignorer ignore oublie oubliez neglige negligez ignora olvida olvide olvidad "
        "ignorad "
        "descarta descarte desestima dimentica ignori dimenticate ignorate esqueca "
        "esquece desconsidere anule annule annulez omite caso tenez tiens",
        r"(ignore[zr]?|ignora[dt]?e?|ignori|oublie[zr]?|negligez?|olvid[ae]d?|descart[ae]|"
        r"desestima|dimentica(te)?|esquec[ae]|desconsidere|annulez?|omite|ne (tenez|tiens) "
        r"(pas|plus|aucun) compte|(haz|hace|hagas?) (caso omiso|caso)) "
        rf"((\w+ ){{0,4}}{_ROMANCE_ORDERS} (\w+ )?(precedent\w*|anterior\w*|previ[ao]s|inicia\w*)|"
        r" ?(des?|de|a|da|do)?( ?(toutes?|tout|les|las|los|le|la|tes|tus|tu|vos|sus|tutte|tutti|"
        r"as|os|"
        r"todas|todos|suas|il|i|gli|cualquier|anteriores|precedentes?|precedenti|previas)){1,4} "
        rf"(\w+ ){{0,2}}{_ROMANCE_ORDERS})",
    ),
    wording(
        POSING,
        "avant antes prima & tache demande tarea solicitud pregunta repondre "
        "responder utilisateur usuario "
        "compito richiesta resoudre resolver tarefa rispondere",
        r"(avant (de|que)|antes de|prima di)( \w+'?){0,6} "
        r"(tache|demande|tarea|solicitud|pregunta|utilisateur|usuario|compito|richiesta|tarefa|"
        r"repondre|responder|rispondere)( \w+'?){0,6},? (veuillez|vous devez|tu dois|fais|faites|"
        r"debes|haz|primero|por favor|d'abord|devi|fai|deve|faca|envoie|envoyez|envia)",
        "value|machine|user & machine|user",
    ),
    wording(
        OVERRIDE,
        "nouvelles nouvelle nuevas nueva nuove novas & instructions instruction "
        "consignes instrucciones "
        "instruccion tarea istruzioni instrucoes tache",
        r"(nouvelles?|nuevas?|nuove|novas?) (instructions?|consignes?|instrucciones|instruccion|"
        rf"tarea|istruzioni|instrucoes|tache)( \w+'?){{0,4}} ?:? {_TUN}",
    ),
    wording(
        ADDRESSED,
        "ia lenguaje langage linguagem linguistico virtual virtuel artificielle artificial chatbot "
        "taalmodel",
        r"((en tant que?|como|come|si tu es|si vous etes|si eres|se sei|se voce e)"
        rf"( une?| una?| un| uma?)? (l')?{_IA},? |"
        r"((a )?l'attention de|note|message|instructions|instrucciones|nota|mensaje|messaggio|"
        r"atencion|attention|attenzione|atencao|cher|chere|querido|estimado|caro)"
        r"( (pour|para|per|a|al|all'))?,? ?(l'|le |la |el |les |los |las |o |gli )?"
        rf"(\w+ )?{_IA}|(?<![\w,]\x20){_IA} ?:)[^.?]{{0,80}}?[\s,:.]{{1,3}}{_TUN}",
    ),
    wording(
        ADDRESSED,
        "ia assistant assistente asistente agente agent modele",
        r"(l'|le |la |el |un |une |tout |cualquier |ogni )(\w+ )?"
        r"(ia|assistant ia|agent ia|asistente de ia|agente de ia)"
        r"( \w+){0,4} (doit|debe|deve)",
        "value|user",
    ),
    wording(
        SECRECY,
        "utilisateur usuario utente",
        r"((ne|n') ?(le |lui |rien |en )?(dis|dites|informe[zr]?|mentionne[zr]?|revele[zr]?|"
        r"previens|"
        r"prevenez|parle[zr]?)( \w+'?){0,5} ?(l')?utilisateur|"
        r"(no|nunca|sin que) (se |le |lo ){0,2}(digas?|informe[sn]?|menciones?|reveles?|avises?|"
        r"sepa|"
        r"cuentes)( \w+){0,4} usuario|(sem|senza|non|nao|sin|sans)( \w+){0,3}"
        r"(dire|informare|menzionare|avisar|informar|diga|avertir|prevenir|demander|preguntar|"
        r"perguntar|chiedere)( \w+'?){0,3} ?(l')?(utente|usuario|utilisateur))",
    ),
    wording(
        ROLE,
        "tu vous eres es sei & desormais maintenant ahora ora agora & ia assistant "
        "asistente assistente bot modo mode agent agente",
        r"(tu es|vous etes|eres|sei|voce e) (desormais|maintenant|ahora|ora|agora)( \w+){0,5} "
        r"(ia|bot|(assistant|asistente|assistente|agente?) (sans|sin|senza|sem))",
    ),
    wording(
        OVERRIDE,
        "negeer vergeet",
        r"(negeer|vergeet) (alle|je|jouw|de|uw)( \w+){0,3} "
        r"(instructies|opdrachten|aanwijzingen|prompt|regels)",
    ),
    wording(
        OVERRIDE,
        "игнорируй игнорируите игнорируите забудь забудьте проигнорируй",
        r"(про)?(игнорируй(те)?|забудь(те)?)( \w+){0,4} (инструкции|указания|команды|правила|"
        r"инструкций|все)",
    ),
    wording(
        OVERRIDE,
        "zignoruj ignoruj zapomnij",
        r"(z?ignoruj|zapomnij)( \w+){0,4} (instrukcje|polecenia|wytyczne|zasady)",
    ),
    wording(
        OVERRIDE,
        "ignorera glom ignorer",
        r"(ignorera?|glom)( \w+){0,3} (instruktioner|instrukser|anvisningar|instruksjoner)",
    ),
    wording(
        OVERRIDE,
        "talimatlari talimatlarini komutlari talimati",
        r"(onceki|tum|butun|yukaridaki)( \w+){0,2} (talimat|komut|kural)\w*( \w+){0,2} "
        r"(yok say|unut|gormezden|dikkate alma)\w*",
    ),
)
"""In no order."""

UNSPACED: Final = re.compile(
    "(?:忽略|无视|無視|忘记|忘掉|不要理会|无需理会)[^。\n]{0,10}(?:指令|指示|提示|说明|命令|规则|要求)|"
    "(?:不要|不用|无需|别)(?:告诉|通知|告知)用户|"
    "(?:指示|命令|プロンプト|ルール|指令)[^。\n]{0,8}(?:無視|忘れ|従わない)|"
    "(?:지시|명령|지침|프롬프트)[^.\n]{0,10}(?:무시|잊)|"
    "(?:تجاهل|انس)[^.\n]{0,14}(?:التعليمات|الأوامر|التوجيهات)"
)
"""The same where words have no blanks between them, or look different in each case."""
