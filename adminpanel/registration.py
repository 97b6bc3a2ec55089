"""All pages of tables: importing this registers them."""

from adminpanel.pages import accounts as accounts
from adminpanel.pages import ai as ai
from adminpanel.pages import bots as bots
from adminpanel.pages import happened as happened
from adminpanel.pages import jobs as jobs
from adminpanel.pages import money as money
from adminpanel.pages import news as news
from adminpanel.pages import pairs as pairs
from adminpanel.pages import people as people
from adminpanel.pages import places as places
from adminpanel.pages import sessions as sessions
from adminpanel.pages import staff as staff
from adminpanel.pages import system as system
from adminpanel.pages import trouble as trouble
from adminpanel.pages import work as work
