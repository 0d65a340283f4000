"""Names of people, places and companies, as plain word lists. Data only; invented, or too common to be anyone's."""

from typing import NamedTuple


class Locale(NamedTuple):
    """Words of one language area. `legal` is written straight after a company's name, comma and all."""

    given: tuple[str, ...]
    family: tuple[str, ...]
    trades: tuple[str, ...]
    legal: tuple[str, ...]


class Place(NamedTuple):
    locale: str
    country: str
    state: str | None
    city: str
    dial: str
    domains: tuple[str, ...]


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(phrase.strip() for phrase in text.split(";"))


def _locale(given: str, family: str, trades: str, legal: tuple[str, ...]) -> Locale:
    return Locale(_phrases(given), _phrases(family), _phrases(trades), legal)


LOCALES: dict[str, Locale] = {
    "en": _locale(
        "James; Mary; Robert; Patricia; John; Jennifer; Michael; Linda; David; Elizabeth; William; Susan; "
        "Thomas; Jessica; Daniel; Sarah; Matthew; Karen; Anthony; Nancy; Mark; Emily; Andrew; Zoë; Chloé; "
        "Joshua; Grace; Kevin; Siobhán; Aoife; Liam; Niamh; Owen; Rhys; Isla; Callum; Priya; Marcus; "
        "Tanisha; DeShawn; Mary Ann; Jean-Paul; Hannah; Peter; Olivia; Samuel; Victoria; George",
        "Smith; Johnson; Williams; Brown; Jones; Miller; Davis; Wilson; Anderson; Taylor; Moore; Jackson; "
        "Martin; Lee; Thompson; White; Harris; Clark; Lewis; Robinson; Walker; Young; Allen; King; "
        "Wright; Scott; Hill; Green; Adams; Baker; Nelson; Carter; Mitchell; O'Brien; O'Connor; D'Arcy; "
        "McDonald; MacLeod; Fitzgerald; Ní Dhuibhne; Smith-Jones; Okafor; Whitfield; Ashworth; Pemberton; "
        "Hughes; Murphy; Kelly",
        "Systems; Logistics; Analytics; Software; Labs; Robotics; Health; Energy; Foods; Partners; "
        "Networks; Security; Instruments; Manufacturing; Freight; Insurance; Capital; Media; Materials; "
        "Biotech; Aerospace; Consulting; Packaging; Diagnostics; Solutions; Works; Supply; Retail; "
        "Hotels; Motors; Semiconductors; Pharma; Textiles; Water; Chemicals; Publishing; Data; Cloud; "
        "Payments; Mobility; Learning; Studios; Farms; Steel; Marine; Optics; Devices; Dental; Staffing; "
        "Wireless",
        (", Inc.", " Inc", " LLC", ", LLC", " Ltd", " Limited", " Corp.", ", L.P.", "", "", " & Sons", " plc"),
    ),
    "de": _locale(
        "Anna; Jürgen; Lukas; Käthe; Stefan; Sabine; Björn; Claudia; Hans-Peter; Ursula; Felix; Miriam; "
        "Günther; Katharina; Maximilian; Renate; Sören; Heike; Thomas; Jörg; Lena; Tobias; Beate; Rüdiger",
        "Müller; Schmidt; Schneider; Fischer; Weber; Schäfer; Koch; Bauer; Größe; Wolf; Schröder; "
        "Neumann; Krüger; Hofmann; Weiß; Jäger; Vogel; Keller; von der Heide; Günther-Vogt; Huber; "
        "Gruber; Brunner; Meier",
        "Maschinenbau; Technik; Logistik; Systeme; Anlagenbau; Werkzeuge; Medizintechnik; Elektronik; "
        "Verpackung; Versicherung; Software; Brauerei; Chemie; Energie; Bau; Papier; Feinmechanik; Stahl; "
        "Messtechnik; Möbel; Verlag; Handel; Antriebe; Automation",
        (" GmbH", " GmbH", " AG", " GmbH & Co. KG", " & Söhne GmbH", " KG", " SE"),
    ),
    "fr": _locale(
        "Amélie; François; Chloé; Jean-Luc; Zoé; Benoît; Hélène; Étienne; Camille; Thibault; Agnès; "
        "Gaëlle; Noël; Sébastien; Margaux; Loïc; Inès; Raphaël; Marie-Claire; Cédric; Océane; Théo",
        "Martin; Bernard; Dubois; Lefèvre; Moreau; Garçon; Girard; Bonnet; L'Hôpital; Fontaine; "
        "Chevalier; Gauthier; d'Aubigné; Lemaître; Mercier; Dupré; Rousseau; Deschênes; Lévêque; "
        "Berthelot; Crépin; Béranger",
        "Industries; Conseil; Logistique; Énergie; Distribution; Santé; Électronique; Assurances; "
        "Informatique; Transports; Matériaux; Hôtellerie; Mécanique; Numérique; Emballages; Aéronautique; "
        "Vignobles; Bâtiment; Édition; Textiles",
        (" SA", " SAS", " SARL", " et Fils", ""),
    ),
    "es": _locale(
        "María; José; Lucía; Ángel; Íñigo; Begoña; Joaquín; Sofía; Andrés; Inmaculada; Raúl; Concepción; "
        "Álvaro; Nuria; Martín; Ximena; Jesús; Guadalupe; Héctor; Valentina",
        "García; Fernández; Núñez; López; Muñoz; Álvarez; Gutiérrez; Ibáñez; Peña; Domínguez; Vázquez; "
        "Sáez; Castaño; Ruiz de la Torre; Ortega; Jiménez; Hernández; Zúñiga; Salazar; Cordero",
        "Construcciones; Logística; Alimentos; Tecnología; Energía; Consultores; Maquinaria; Sistemas; "
        "Seguros; Distribuciones; Cerámicas; Salud; Ingeniería; Hoteles; Papelera; Químicas; Metales; "
        "Agrícola; Textil; Puertos",
        (" S.L.", ", S.A.", " S.A. de C.V.", " y Hermanos, S.L."),
    ),
    "it": _locale(
        "Giulia; Niccolò; Chiara; Matteo; Francesca; Lorenzo; Beatrice; Alessandro; Martina; Gianluca; "
        "Elisa; Davide; Federica; Pietro; Noemi; Riccardo",
        "Rossi; Bianchi; Ferrari; Esposito; Ricci; D'Angelo; Dell'Acqua; De Luca; Conti; Niccolò; Marino; "
        "Greco; Lombardi; Moretti; Barbieri; Fontana",
        "Meccanica; Impianti; Ceramiche; Tessuti; Arredamenti; Motori; Servizi; Farmaceutica; Alimentari; "
        "Trasporti; Elettronica; Costruzioni; Assicurazioni; Informatica; Carta; Acciai",
        (" S.r.l.", " S.p.A.", " & Figli S.r.l.", " S.n.c."),
    ),
    "nl": _locale(
        "Daan; Sanne; Joost; Anouk; Bram; Fleur; Maarten; Lotte; Sjoerd; Marieke; Thijs; Femke; Renée; "
        "Pieter; Ilse; Koen",
        "de Vries; van den Berg; Jansen; Bakker; Visser; van 't Hof; Smit; Meijer; de Boer; Mulder; in 't "
        "Veld; Dekker; van Dijk; Hoekstra; Vermeulen; Claes",
        "Techniek; Transport; Groep; Verzekeringen; Diensten; Scheepvaart; Installaties; Voeding; Bouw; "
        "Adviseurs; Machines; Zorg; Kwekerij; Staal; Drukkerij; Zuivel",
        (" B.V.", " N.V.", " Holding B.V.", " VOF"),
    ),
    "nordic": _locale(
        "Åsa; Lars; Ingrid; Søren; Bjørn; Freja; Håkan; Linnéa; Øyvind; Kirsten; Mikael; Astrid; Jørgen; "
        "Sigrún; Erik; Maja; Gösta; Torbjörn",
        "Andersson; Nielsen; Hansen; Sjöberg; Lindström; Ødegård; Bergström; Kjær; Åkesson; Sørensen; "
        "Dahl; Holm; Nyström; Haugen; Lindqvist; Þórsson; Mäkinen; Virtanen",
        "Skog; Sjöfart; Mekanik; Energi; Bygg; Data; Industri; Fisk; Plast; Kraft; Konsult; Verktøy; "
        "Papp; Offshore; Möbler; Sikkerhed; Vind; Stål",
        (" AB", " A/S", " AS", " Oy", " ApS"),
    ),
    "pl": _locale(
        "Agnieszka; Łukasz; Małgorzata; Paweł; Zofia; Wojciech; Świętosława; Michał; Joanna; Grzegorz; "
        "Ewa; Krzysztof; Jiří; Tereza; Ondřej; Kateřina",
        "Nowak; Kowalski; Wiśniewska; Wójcik; Kamiński; Zieliński; Dąbrowska; Łukaszewicz; Szczepański; "
        "Król; Novák; Dvořáková; Černý; Procházka; Šťastný; Žák",
        "Produkcja; Handel; Budowa; Systemy; Transport; Metal; Energetyka; Usługi; Meble; Chemia; "
        "Inżynieria; Narzędzia; Druk; Szkło; Okna; Żegluga",
        (" Sp. z o.o.", " S.A.", " s.r.o.", ", a.s."),
    ),
    "pt": _locale(
        "João; Mariana; Antônio; Conceição; Luís; Beatriz; Sérgio; Inês; Gonçalo; Letícia; Thiago; "
        "Patrícia; Otávio; Débora; Rúben; Fátima",
        "Silva; Santos; Araújo; Gonçalves; Assunção; Magalhães; Simões; Brandão; Ribeiro; Conceição; "
        "Teixeira; Falcão; dos Reis; Leitão; Queirós; Guimarães",
        "Alimentos; Engenharia; Logística; Sistemas; Energia; Têxteis; Seguros; Comércio; Máquinas; "
        "Saúde; Papel; Mineração; Turismo; Cortiças; Consultoria; Celulose",
        (" Ltda.", " S.A.", ", Lda.", " & Filhos, Lda."),
    ),
    "asia": _locale(
        "Aarav; Ananya; Rohan; Kavya; Vikram; Meera; Arjun; Deepika; Haruto; Yui; Kenji; Sakura; Wei; "
        "Mei-Ling; Jia Hao; Xiu Ying; Sanjay; Lakshmi; Hiroshi; Min-jun",
        "Sharma; Patel; Iyer; Krishnamurthy; Reddy; Gupta; Nair; Chatterjee; Tanaka; Satō; Suzuki; "
        "Kobayashi; Tan; Lim; Ng; Wong; Chen; Banerjee; Ōno; Kim",
        "Technologies; Infotech; Industries; Exports; Trading; Precision; Electronics; Ventures; "
        "Pharmaceuticals; Shipping; Engineering; Telecom; Seiki; Kogyo; Holdings; Agro; Textile Mills; "
        "Components; Infrastructure; Services",
        (" Pvt. Ltd.", " Private Limited", " K.K.", " Co., Ltd.", " Pte. Ltd."),
    ),
}

# Invented first words of companies, shared by every language area.
STEMS: tuple[str, ...] = _phrases(
    "Alderbrook; Amberline; Apexa; Aquilon; Ardenne; Argentum; Asterly; Aurelio; Axiom; Baltica; "
    "Beacon; Belmont; Birchfield; Bluewater; Boréal; Brightside; Calderon; Candela; Carbonix; Cascadia; "
    "Castell; Cedarstone; Celeste; Centaur; Cirrus; Clearpath; Cobalt; Copperfield; Coralys; Corvus; "
    "Crestline; Cygnus; Daybreak; Deltaform; Dovetail; Driftwood; Eastgate; Ecliptic; Elmhurst; "
    "Emberly; Equinox; Everline; Fairhaven; Falconer; Fenwick; Ferrum; Fjordal; Foxglove; Fulcrum; "
    "Gantry; Glacier; Granite; Greyfield; Halcyon; Harbinger; Hawthorne; Helixa; Highmark; Horizonte; "
    "Hydra; Indigo; Ironbridge; Ivory; Juniper; Kaleido; Kestrel; Keystone; Kinetic; Lakeshore; "
    "Lantern; Larkspur; Lighthouse; Linden; Lumina; Lyra; Magnolia; Maplewood; Marigold; Meridian; "
    "Mistral; Monarch; Montclair; Nautilus; Nébula; Nexora; Nightingale; Nimbus; Northgate; Novara; "
    "Oakhaven; Obsidian; Octavia; Onyx; Orbita; Orchard; Osprey; Pacifica; Palisade; Paragon; Pelican; "
    "Perennial; Pinnacle; Pioneer; Polaris; Prisma; Quantica; Quarry; Quillon; Ravenna; Redwood; "
    "Ridgeline; Rivera; Rosewood; Rowan; Sable; Saffron; Sagebrush; Santoro; Sequoia; Silverline; "
    "Solstice; Sonata; Southport; Sterling; Stonegate; Summit; Sycamore; Tamarack; Tempest; Terranova; "
    "Thornhill; Tidewater; Topaz; Tribeca; Trillium; Umbra; Unison; Valencia; Vanguard; Vector; "
    "Verdant; Vertex; Viridian; Vista; Wavecrest; Westbrook; Whitecap; Willow; Windward; Wren; Yarrow; "
    "Yellowstone; Zephyr; Zenith"
)

# A second word set between stem and trade once every plain pair of a language area is taken.
QUALIFIERS: tuple[str, ...] = _phrases(
    "Pacific; Atlantic; Nordic; Iberia; Alpine; Central; Global; Premier; First; United; Royal; "
    "National; Coastal; Valley; Metro; Continental; Prime; Inter; Trans; Omni; Digital; Advanced; "
    "Applied; General; Modern; Classic; Union; Allied; Regional; Global-Tech; Euro; Delta; Sigma; "
    "Omega; Nova; Ultra; Mega; Micro; Neo; Pan"
)

_US, _UK, _IE = (".com", ".com", ".io", ".net"), (".co.uk", ".uk"), (".ie",)

PLACES: tuple[Place, ...] = (
    Place("en", "United States", "CA", "San Francisco", "+1 415", _US),
    Place("en", "United States", "CA", "San José", "+1 408", _US),
    Place("en", "United States", "NY", "New York", "+1 212", _US),
    Place("en", "United States", "TX", "Austin", "+1 512", _US),
    Place("en", "United States", "IL", "Chicago", "+1 312", _US),
    Place("en", "United States", "MA", "Boston", "+1 617", _US),
    Place("en", "United States", "WA", "Seattle", "+1 206", _US),
    Place("en", "United States", "GA", "Atlanta", "+1 404", _US),
    Place("en", "United States", "CO", "Denver", "+1 303", _US),
    Place("en", "United States", "MN", "St. Paul", "+1 651", _US),
    Place("en", "Canada", "ON", "Toronto", "+1 416", (".ca",)),
    Place("en", "Australia", "NSW", "Sydney", "+61 2", (".com.au",)),
    Place("en", "United Kingdom", None, "London", "+44 20", _UK),
    Place("en", "United Kingdom", None, "Leeds", "+44 113", _UK),
    Place("en", "United Kingdom", None, "King's Lynn", "+44 1553", _UK),
    Place("en", "Ireland", None, "Dún Laoghaire", "+353 1", _IE),
    Place("de", "Germany", None, "München", "+49 89", (".de",)),
    Place("de", "Germany", None, "Köln", "+49 221", (".de",)),
    Place("de", "Germany", None, "Hamburg", "+49 40", (".de", ".eu")),
    Place("de", "Austria", None, "Wien", "+43 1", (".at",)),
    Place("de", "Switzerland", None, "Zürich", "+41 44", (".ch",)),
    Place("fr", "France", None, "Paris", "+33 1", (".fr",)),
    Place("fr", "France", None, "Saint-Étienne", "+33 4", (".fr",)),
    Place("fr", "Belgium", None, "Liège", "+32 4", (".be",)),
    Place("fr", "Canada", "QC", "Montréal", "+1 514", (".quebec",)),
    Place("es", "Spain", None, "Málaga", "+34 952", (".es",)),
    Place("es", "Spain", None, "A Coruña", "+34 981", (".es",)),
    Place("es", "Mexico", None, "Ciudad de México", "+52 55", (".mx",)),
    Place("it", "Italy", None, "Milano", "+39 02", (".it",)),
    Place("it", "Italy", None, "L'Aquila", "+39 0862", (".it",)),
    Place("nl", "Netherlands", None, "'s-Hertogenbosch", "+31 73", (".nl",)),
    Place("nl", "Netherlands", None, "Rotterdam", "+31 10", (".nl",)),
    Place("nordic", "Sweden", None, "Göteborg", "+46 31", (".se",)),
    Place("nordic", "Denmark", None, "Århus", "+45 86", (".dk",)),
    Place("nordic", "Norway", None, "Tromsø", "+47 77", (".no",)),
    Place("nordic", "Finland", None, "Jyväskylä", "+358 14", (".fi",)),
    Place("pl", "Poland", None, "Łódź", "+48 42", (".pl",)),
    Place("pl", "Czechia", None, "Plzeň", "+420 377", (".cz",)),
    Place("pt", "Brazil", "SP", "São Paulo", "+55 11", (".com.br",)),
    Place("pt", "Portugal", None, "Évora", "+351 266", (".pt",)),
    Place("asia", "India", None, "Bengaluru", "+91 80", (".in",)),
    Place("asia", "Japan", None, "Ōsaka", "+81 6", (".jp",)),
    Place("asia", "Singapore", None, "Singapore", "+65 6", (".sg",)),
)

FREE_MAIL: tuple[str, ...] = ("gmail.com", "gmail.com", "outlook.com", "yahoo.com", "gmx.de", "icloud.com", "proton.me")
