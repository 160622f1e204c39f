"""Domains at which anybody can have an address, or below which anybody can have a domain: whoever reads one
mailbox there has not shown that the domain is theirs.
"""

# What registries keep in front of a country, so that `co.uk` is nobody's own.
_REGISTERED = "ac co com edu go gob gouv gov gub gv ltd mil ne net nhs nom or org plc police sch"
_SUFFIXES = "asn.au biz.pl com.de id.au info.pl me.uk web.za"
# They have an address in many countries.
_BRANDS = """
    aol bluewin freenet gmail gmx googlemail hotmail icloud laposte libero live mail msn outlook protonmail
    rambler seznam tutanota wanadoo yahoo yandex ymail
"""
_DOMAINS = """
    10minutemail.com 111mail.com 123mail.org 126.com 139.com 163.com 188.com 189.cn 1und1.de 21cn.com
    a1.net abv.bg aim.com aleeas.com alice.it aliceadsl.fr aliyun.com allmail.net alum.com anonaddy.me
    aon.at appspot.com arcor.de arnet.com.ar asia.com att.net azurewebsites.net bbox.fr bellsouth.net
    bigfoot.com bigpond.com bigpond.net.au bk.ru blogspot.com blueyonder.co.uk bol.com.br
    brturbo.com.br btinternet.com btopenworld.com caramail.com centrum.cz charter.net cheerful.com
    chello.at chello.nl cloudfront.net club-internet.fr cock.li comcast.net comhem.se consultant.com
    cox.net daum.net dispostable.com disroot.org docomo.ne.jp dr.com duck.com earthlink.net email.com
    email.cz engineer.com eresmas.com eu.org europe.com excite.com ezweb.ne.jp fastmail.com
    fastmail.fm fibertel.com.ar firefox.com fly.dev foxmail.com free.fr freemail.hu freeserve.co.uk
    frontier.com frontiernet.net getnada.com github.io gitlab.io globo.com globomail.com gmx.com
    gmx.net googlegroups.com grr.la guerrillamail.com hanmail.net herokuapp.com hey.com home.nl
    hushmail.com i.softbank.jp ig.com.br iname.com inbox.com inbox.eu inbox.lv inbox.ru india.com
    indiatimes.com interia.pl internet.ru iol.it itelefonica.com.br jubii.dk juno.com kakao.com
    keemail.me kpnmail.nl linuxmail.org list.ru live.com lycos.com mac.com mail-tester.com mail.com
    mail.ru mailbox.org maildrop.cc mailfence.com mailinator.com me.com mindspring.com moakt.com
    mozmail.com myself.com narod.ru nate.com naver.com neo.rr.com netlify.app neuf.fr ngrok.io
    nordnet.fr ntlworld.com numericable.fr o2.pl o2online.de oi.com.br onet.eu onet.pl online.de
    online.no optonline.net optusnet.com.au orange.fr pages.dev passinbox.com passmail.net pm.me
    pobox.com poczta.onet.pl post.com post.cz posteo.de privaterelay.appleid.com prodigy.net.mx
    proton.me protonmail.ch qq.com r7.com rediffmail.com relay.firefox.com riseup.net rocketmail.com
    rogers.com rr.com runbox.com sapo.pt sbcglobal.net sfr.fr sharklasers.com shaw.ca simplelogin.com
    sina.cn sina.com sky.com skynet.be slmail.me softbank.ne.jp sohu.com speedy.com.ar spoko.pl
    startmail.com suddenlink.net sympatico.ca t-online.de talktalk.net techie.com telefonica.net
    telenet.be telia.com telus.net temp-mail.org tempmail.com terra.com terra.com.br tin.it
    tiscali.co.uk tiscali.it tom.com trashmail.com tut.by tuta.com tuta.io tutamail.com tutanota.de
    ukr.net uol.com.br usa.com vercel.app verizon.net versanet.de videotron.ca virgilio.it virgin.net
    virginmedia.com vivaldi.net vodafone.it voila.fr vtext.com walla.co.il wanadoo.co.uk web.de
    windowslive.com windstream.net wordpress.com workers.dev workmail.com wp.pl xs4all.nl xtra.co.nz
    ya.ru yeah.net yopmail.com zeelandnet.nl ziggo.nl zipmail.com.br zoho.com zoho.eu zoho.in
    zohomail.com zohomail.eu zonnet.nl
"""
_registered, _suffixes = frozenset(_REGISTERED.split()), frozenset(_SUFFIXES.split())
_brands, _domains = frozenset(_BRANDS.split()), frozenset(_DOMAINS.split())


def is_public(domain: str) -> bool:
    """Whether anybody can have an address at this A-label domain, or at the one that it is below."""
    labels = domain.split(".")
    return any(_is_public(labels[start:]) for start in range(len(labels)))


def is_public_suffix(domain: str) -> bool:
    """Whether anybody can have a domain below this one: `com`, `co.uk`. Told from its shape: one label, or
    one of those that registries use in front of a country.
    """
    labels = domain.split(".")
    of_country = len(labels) == 2 and len(labels[1]) == 2 and labels[0] in _registered
    return len(labels) == 1 or of_country or domain in _suffixes


def _is_public(labels: list[str]) -> bool:
    rest = ".".join(labels[1:])
    return ".".join(labels) in _domains or (bool(rest) and labels[0] in _brands and is_public_suffix(rest))
