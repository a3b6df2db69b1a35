"""What people call columns, written without case, spaces and signs; the most telling name comes first."""

from __future__ import annotations

from collections.abc import Mapping


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# A table with both ``parent_asin`` and ``asin`` means the first: the order of names is one of preference.
ROLES: Mapping[str, tuple[str, ...]] = {
    "user": _words(
        """userid user uid usr reviewerid reviewer customerid customer memberid member visitorid
        playerid player accountid profileid personid sessionid session"""
    ),
    "item": _words(
        """itemid item iid parentasin asin movieid movie artistid artist businessid bookid isbn
        productid product trackid songid venueid newsid videoid gameid recipeid articleid poiid
        locationid adid docid"""
    ),
    "rating": _words(
        """rating ratings stars overall score weight bookrating reviewrating count counts plays
        playcount listencount nplays hours playtimeforever"""
    ),
    "timestamp": _words(
        """timestamp time unixreviewtime datetime date ts createdat ratedat eventtime reviewdate
        utctime unixtime"""
    ),
    "label": _words("xlabel"),
}
TITLES = _words("title name productname movietitle booktitle itemname artistname headline")
CATEGORIES = _words("category categories genres genre class maincategory tags type")
IMAGES = _words("image imageurl imurl images imageurlhighres pictureurl imageurll poster")
DESCRIPTIONS = _words("description descriptions abstract summary overview")
