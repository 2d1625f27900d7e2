"""The wordings of `phrases` in other languages; same notation, folded, so without accents.

German, French, Spanish, Italian, Portuguese, Dutch; Russian by its look-alike letters; and
Chinese and Japanese, which have no blanks, as run-on text in `frames`.
"""

from typing import Final

from sidecar.gate.phrases import ADDRESSED, OVERRIDE, POSING, ROLE, SECRECY, wording

_DE_ORDERS: Final = (
    r"(anweisung|instruktion|vorgabe|befehl|regel|richtlinie|prompt|auftrag|aufgabe)\w*"
)
_ROMANCE_ORDERS: Final = (
    r"(instru\w+|consignes?|directives?|regles|indicaciones|ordenes|reglas|directrices|istruzioni|"
    r"regole|comandi|instrucoes|ordens|regras|ordres|prompts?|comandos)"
)
_AI: Final = (
    r"(ki|ki-\w+|sprachmodell\w*|chatbot|assistent\w*|agent\w*|ia|assistant ia|assistante?|"
    r"modele de langage|agent ia|modelo de lenguaje|asistente|agente|intelligence artificielle|"
    r"inteligencia artificial|modello linguistico|assistente|modelo de linguagem|taalmodel|ai)"
)

ABROAD: Final = (
    wording(
        OVERRIDE,
        "ignoriere ignorieren ignorier ignoriert vergiss vergesst vergessen missachte missachten "
        "verwirf verwerfen uberschreibe uberschreiben",
        r"(ignorier(e|en|t)?|vergiss|vergesst|vergessen|missachten?|verwirf|verwerfen|"
        r"uberschreiben?)( sie)?( bitte| jetzt| sofort)?( \w+){0,3} "
        r"(alle|alles|bisherig\w*|vorherig\w*|fruher\w*|obig\w*|vorangegangen\w*|deine|ihre|"
        rf"vorig\w*|ursprunglich\w*|systemprompt)( \w+){{0,3}} ({_DE_ORDERS}|oben|zuvor|vorher)",
    ),
    wording(
        POSING,
        "bevor & aufgabe anfrage frage antwortest losung nutzer benutzer",
        r"bevor (du|sie)( \w+){0,5} (aufgabe|anfrage|frage|nutzer|benutzer|antwortest|fortfahrst)"
        r"( \w+){0,3},? (fuhre?|erledige?|mach|musst|sende|uberweise|bitte|zuerst)",
    ),
    wording(
        POSING,
        "folgendes folgende folgenden & zuerst zunachst stattdessen zunaechst",
        r"(fuhre?|erledige?|mach|tu|befolge)( \w+){0,4} (zuerst|zunachst|zunaechst|stattdessen)"
        r"( \w+){0,3}|(zuerst|zunachst|stattdessen) (das )?folgende[sn]?",
    ),
    wording(
        OVERRIDE,
        "neue neuer aktualisierte geheime wichtige & anweisung anweisungen auftrag "
        "aufgabe systemanweisung",
        r"(neue[rns]?|aktualisierte|geheime|wichtige) (system)?(anweisung(en)?|auftrag|aufgabe)"
        r"( (an|fur) \w+( \w+)?)?:",
    ),
    wording(
        ADDRESSED,
        "ki sprachmodell assistent agent chatbot & an als du wenn musst soll muss "
        "muessen mussen lieber "
        "hinweis nachricht",
        r"(als ki|als sprachmodell|wenn du (ein|eine) (ki|sprachmodell|assistent|agent|chatbot)|"
        r"(an|fur) (die|den|das|alle|jede)( \w+)? (ki|ki-\w+|sprachmodelle?|chatbot|"
        r"ki assistent\w*)|"
        r"(der|die|das|jeder|jede|alle) (ki|ki-\w+|sprachmodell|chatbot|ki assistent|assistent|"
        r"agent) (muss|soll|sollte|hat zu)( \w+){0,3} "
        r"(senden|uberweisen|weiterleiten|loschen|sofort|jetzt|zuerst|alle))",
    ),
    wording(
        SECRECY,
        "nutzer benutzer anwender user bestatigung fragen "
        "& sag sage erzahl erzahle "
        "informiere erwahne ohne verrate teile",
        r"(sag|sage|erzahle?|informiere?|verrate?|erwahne?|teile?)( \w+){0,3} (nutzer|benutzer|"
        r"anwender|user)( \w+){0,3} (nicht|nichts|kein\w*)|"
        r"(?<!nicht\s)ohne ((den |die )?(nutzer|benutzer|anwender) zu|"
        r"(eine )?bestatigung|zu fragen)",
    ),
    wording(
        ROLE,
        "bist seid & assistent ki bot modus agent modell",
        r"du bist (jetzt|nun|ab sofort|nicht mehr|nicht langer)( \w+){0,5} "
        r"(assistent|ki|bot|modus|agent|modell)",
    ),
    wording(
        OVERRIDE,
        "ignore ignorez ignorer oublie oubliez neglige negligez ignora olvida "
        "olvide olvidad ignorad "
        "descarta descarte desestima dimentica ignori dimenticate ignorate esqueca "
        "esquece desconsidere "
        "anule annule annulez omite omitir hace haz",
        r"(ignore[zr]?|ignora[dt]?e?|ignori|oublie[zr]?|negligez?|olvid[ae]d?|descart[ae]|"
        r"desestima|dimentica(te)?|esquec[ae]|desconsidere|annulez?|omite|"
        r"(haz|hace) caso omiso)( \w+'?){0,5} "
        rf"({_ROMANCE_ORDERS}|ci-dessus|precedemment|anteriormente|tout ce qui precede|"
        r"lo anterior|quanto sopra)",
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
    ),
    wording(
        OVERRIDE,
        "nouvelles nouvelle nuevas nueva nuove novas & instructions instruction "
        "consignes instrucciones "
        "instruccion tarea istruzioni instrucoes tache",
        r"(nouvelles?|nuevas?|nuove|novas?) (instructions?|consignes?|instrucciones|instruccion|"
        r"tarea|istruzioni|instrucoes|tache)( \w+'?){0,4}:",
    ),
    wording(
        ADDRESSED,
        "ia langage lenguaje asistente linguagem linguistico assistant assistente & "
        "en tant como si a pour para "
        "dois debe debes doit doivent deben come instrucciones cher attention "
        "querido atencion deve",
        r"((en tant que?|como|come|si tu es|si vous etes|si eres|se sei|se voce e) "
        r"(une? |una? |un |l'|uma? )?(ia|intelligence artificielle|modele de langage|"
        r"modelo de lenguaje|"
        r"inteligencia artificial|modello linguistico|modelo de linguagem|assistant ia|agent ia|"
        r"asistente de ia|agente de ia)|"
        r"(a l'attention de|note pour|message pour|instructions pour|instrucciones para|nota para|"
        r"mensaje para|atencion|attention|cher|querido|per)( (l'|le |la |el |les |los )?\w*){0,2}? "
        r"?(ia|assistant ia|asistente de ia|agent ia|modele de langage|modelo de lenguaje)|"
        r"(l'|le |la |el |un |une |tout |cualquier )(ia|assistant ia|agent ia|assistant|asistente|"
        r"asistente de ia|agente de ia|modele|modelo)( \w+){0,4} (doit|debe|deve|dois) )",
    ),
    wording(
        SECRECY,
        "utilisateur usuario utente confirmation confirmacion conferma permiso "
        "autorisation preguntar demander "
        "chiedere & sans sin dis dites ne no non senza diga digas informe mentionne dire",
        r"((ne|n') ?(le |lui |rien )?(dis|dites|informe[zr]?|mentionne[zr]?|revele[zr]?|previens|"
        r"prevenez)( \w+'?){0,5} utilisateur|"
        r"(no|nunca) (le |se lo )?(digas?|informe[sn]?|menciones?|reveles?|avises?)( "
        r"\w+){0,4} usuario|"
        r"non (dire|informare|menzionare)( \w+){0,4} utente|"
        r"sans (demander|attendre)( \w+){0,3} (confirmation|autorisation|permission|l'utilisateur)|"
        r"sans (confirmation|prevenir l'utilisateur|l'accord de l'utilisateur)|"
        r"sin (pedir|esperar|solicitar)( \w+){0,2} (confirmacion|permiso|autorizacion)|"
        r"sin (confirmacion|preguntar al usuario|avisar al usuario)|"
        r"senza (chiedere|attendere)( \w+){0,2} (conferma|permesso|utente))",
    ),
    wording(
        ROLE,
        "tu vous eres es sei & desormais maintenant ahora ora agora & ia assistant "
        "asistente assistente bot modo "
        "mode agent agente",
        r"(tu es|vous etes|eres|sei|voce e) (desormais|maintenant|ahora|ora|agora)( \w+){0,5} "
        r"(ia|assistant|asistente|assistente|bot|modo|mode|agente?)",
    ),
    wording(
        OVERRIDE,
        "negeer vergeet",
        r"(negeer|vergeet)( \w+){0,4} (instructies|opdrachten|aanwijzingen|prompt|regels)",
    ),
    wording(
        OVERRIDE,
        "игнорируй игнорируйте забудь забудьте проигнорируй",
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
)
"""In no order."""

UNSPACED: Final = (
    "忽略之前",
    "忽略以上",
    "忽略所有",
    "忽略先前",
    "无视之前",
    "无视以上",
    "忘记之前",
    "不要告诉用户",
    "以前の指示を無視",
    "これまでの指示を無視",
    "上記の指示を無視",
    "すべての指示を無視",
)
"""The same where words have no blanks between them: Chinese and Japanese."""
