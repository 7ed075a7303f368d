"""The judged set: queries over the real concerts and some invented ones, and what they must find."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Judged:
    """A query, and the properties that one of the first five events must have.

    With `most`, all that is found is at most so many events, and the first of them must have the properties.
    """

    query: str
    most: int | None = None
    performer: str = ""
    venue: str = ""
    title: str = ""
    city: str = ""
    month: int = 0


@dataclass(frozen=True, slots=True)
class Invented:
    """An event that the real concerts lack."""

    name: str
    performer: str
    venue: str
    city: str


INVENTED = (
    Invented("Warp Night", "!!!", "Atlas Hala", "Łódź"),
    Invented("Je dis aime", "-M-", "Hala Mazur", "Ełk"),
    Invented("Infected", "The The", "Kongresshalle", "Gießen"),
    Invented("Malta Night", "Ħal Għargħur Band", "Atlas Hala", "Łódź"),
    Invented("Norðurljós", "Þursaflokkurinn", "Hala Mazur", "Ełk"),
    Invented("夏之夜演唱會", "陳小燕", "臺北音樂廳", "臺北"),
    Invented("弦途有你", "周小健", "体育馆", "上海"),
)

JUDGED = (
    # Exact names
    Judged("검정치마", performer="검정치마"),
    Judged("야광토끼", performer="야광토끼"),
    Judged("갤럭시 익스프레스", performer="갤럭시 익스프레스"),
    Judged("국카스텐", performer="국카스텐"),
    Judged("로큰롤 라디오", performer="로큰롤 라디오"),
    Judged("아시안체어샷", performer="아시안체어샷"),
    Judged("24 Hours", performer="24 Hours"),
    Judged("제8극장", performer="제8극장"),
    Judged("신현희와 김루트", performer="신현희와 김루트"),
    Judged("10cm", performer="10cm"),
    Judged("3호선 버터플라이", performer="3호선 버터플라이"),
    Judged("곽푸른하늘", performer="곽푸른하늘"),
    Judged("The Koxx", performer="The Koxx"),
    Judged("크라잉넛", performer="크라잉넛"),
    # Typos
    Judged("검정차마", performer="검정치마"),
    Judged("갤럭시 익스프래스", performer="갤럭시 익스프레스"),
    Judged("웨이스티드쟈니즈", performer="웨이스티드쟈니스"),
    Judged("로멘틱펀치", performer="로맨틱펀치"),
    Judged("옐로우 몬스터스", performer="옐로우 몬스터즈"),
    Judged("아시안채어샷", performer="아시안체어샷"),
    Judged("국카스탠", performer="국카스텐"),
    Judged("해리빅버턴", performer="해리빅버튼"),
    Judged("galaxi express", performer="갤럭시 익스프레스"),
    Judged("guckasten", performer="국카스텐"),
    Judged("romantic puch", performer="로맨틱펀치"),
    Judged("텔레플라아", performer="텔레플라이"),
    Judged("노브래인", performer="노브레인"),
    # Spacing
    Judged("검정 치마", performer="검정치마"),
    Judged("갤럭시익스프레스", performer="갤럭시 익스프레스"),
    Judged("로큰롤라디오", performer="로큰롤 라디오"),
    Judged("안녕 바다", performer="안녕바다"),
    Judged("야광 토끼", performer="야광토끼"),
    Judged("사비나앤드론즈", performer="사비나 앤 드론즈"),
    Judged("옐로우몬스터즈", performer="옐로우 몬스터즈"),
    Judged("러브 엑스 테레오", performer="러브엑스테레오"),
    Judged("9와숫자들", performer="9와 숫자들"),
    Judged("입술을깨물다", performer="입술을 깨물다"),
    Judged("24hours", performer="24 Hours"),
    # Parts of Korean words
    Judged("치마", performer="검정치마"),
    Judged("익스프레스", performer="갤럭시 익스프레스"),
    Judged("몬스터즈", performer="옐로우 몬스터즈"),
    Judged("체어샷", performer="아시안체어샷"),
    Judged("빅버튼", performer="해리빅버튼"),
    Judged("버터플라이", performer="3호선 버터플라이"),
    Judged("토끼", performer="토끼"),
    Judged("롤링", venue="롤링홀"),
    Judged("상상마당", venue="상상마당"),
    Judged("갤럭", performer="갤럭시 익스프레스"),
    # Latin spellings
    Judged("galaxy express", performer="갤럭시 익스프레스"),
    Judged("the black skirts", performer="검정치마"),
    Judged("neon bunny", performer="야광토끼"),
    Judged("guckkasten", performer="국카스텐"),
    Judged("yellow monsters", performer="옐로우 몬스터즈"),
    Judged("rock n roll radio", performer="로큰롤 라디오"),
    Judged("geomjeongchima", performer="검정치마"),
    Judged("love x stereo", performer="러브엑스테레오"),
    Judged("asian chairshot", performer="아시안체어샷"),
    Judged("dead buttons", performer="데드버튼즈"),
    Judged("space papa", performer="스페이스파파"),
    Judged("crying nut", performer="크라잉넛"),
    Judged("rolling hall", venue="롤링홀"),
    # Performer and city
    Judged("갤럭시 익스프레스 부산", performer="갤럭시 익스프레스", city="부산"),
    Judged("옐로우 몬스터즈 대구", performer="옐로우 몬스터즈", city="대구"),
    Judged("busan 로다운30", performer="로다운30", city="부산"),
    Judged("크라잉넛 서울", performer="크라잉넛", city="서울"),
    Judged("대전 옐로우몬스터즈", performer="옐로우 몬스터즈", city="대전"),
    Judged("yellow monsters gwangju", performer="옐로우 몬스터즈", city="광주"),
    # Venue and month
    Judged("롤링홀 3월", venue="롤링홀", month=3),
    Judged("클럽 FF 10월", venue="클럽 FF", month=10),
    Judged("rolling hall december", venue="롤링홀", month=12),
    Judged("상상마당 2028년 5월", venue="상상마당", month=5),
    Judged("클럽 빵 7월", venue="클럽 빵", month=7),
    Judged("프리버드 8월", venue="프리버드", month=8),
    # Titles
    Judged("서울소닉 프렌즈", title="서울소닉 프렌즈"),
    Judged("why on earth", title="why ON EARTH"),
    Judged("잔다리 페스타 쇼케이스", title="잔다리"),
    Judged("부산국제록페스티벌", title="부산국제록페스티벌"),
    Judged("hongdae fest", title="HONGDAE FEST"),
    # Names without words of their own
    Judged("!!!", most=1, performer="!!!"),
    Judged("！！！", most=1, performer="!!!"),
    Judged("-M-", most=1, performer="-M-"),
    Judged("the the", most=1, performer="The The"),
    Judged("???", most=0),
    Judged("+/-", most=0),
    Judged("of the", most=50),
    # Letters that have no accent to lose
    Judged("lodz", city="Łódź"),
    Judged("łódź", city="Łódź"),
    Judged("elk", city="Ełk"),
    Judged("EŁK", city="Ełk"),
    Judged("GIESSEN", most=1, city="Gießen"),
    Judged("gießen", most=1, city="Gießen"),
    Judged("hal gharghur", most=1, performer="Ħal Għargħur Band"),
    Judged("thursaflokkurinn", most=1, performer="Þursaflokkurinn"),
    Judged("nordurljos", most=1, title="Norðurljós"),
    # Chinese
    Judged("陈小燕", most=1, performer="陳小燕"),
    Judged("陳小燕", most=1, performer="陳小燕"),
    Judged("周小健", most=1, performer="周小健"),
    Judged("周小徤", most=0),
    Judged("燕小陳", most=0),
    Judged("演唱会", most=1, title="演唱會"),
    Judged("台北", most=1, city="臺北"),
    Judged("體育館", most=1, venue="体育馆"),
    Judged("陈小燕演唱会", most=1, performer="陳小燕"),
    # A trade word without a space
    Judged("검정치마콘서트", performer="검정치마"),
    Judged("국카스텐공연", performer="국카스텐"),
    Judged("로큰롤 라디오라이브", performer="로큰롤 라디오"),
    Judged("갤럭시익스프레스단독공연", performer="갤럭시 익스프레스"),
    # Artists who are not there
    Judged("Coldplay", most=20),
    Judged("Beethoven", most=20),
    Judged("Metallica", most=20),
    Judged("방탄소년단", most=20),
    Judged("Blur", most=20),
    Judged("Coldplay concert", most=20),
    Judged("Coldplay seoul", most=20),
    Judged("Beethoven 서울 공연", most=20),
    # Initial consonants
    Judged("ㄱㅈㅊㅁ", performer="검정치마"),
    Judged("ㄱㅋㅅㅌ", performer="국카스텐"),
    Judged("ㄱㄹㅅㅇㅅㅍㄹㅅ", performer="갤럭시 익스프레스"),
    Judged("ㄱㄹㅅ ㅇㅅㅍㄹㅅ", performer="갤럭시 익스프레스"),
    Judged("ㄹㄹㅎ", venue="롤링홀"),
    Judged("ㅋㅋㅋㅋㅋㅋㅋㅋ", most=0),
)
