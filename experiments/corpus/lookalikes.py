"""Characters of everyday use that are taken for one another: what the small networks of `worth.py` tell apart."""

from experiments.corpus.people import NUMERALS

# Each group is alike in its strokes; a character stands in the first group that it belongs to.
_GROUPS = (
    '宪宠宙实宣宁室宏定宝完官害寄', '土士工干于王玉主', '广厂庄库床底', '未末木本', '日目白自', '人入', '己已巳', '田由甲申', '大太犬天夫失', '牛午年',
    '刀力', '几儿', '口中', '西', '互', '文', '上下止正', '石右左', '方', '忆化仁他', '丁了子', '山出', '手毛', '见贝', '鸟乌', '晴睛清请情', '住往佳',
    '历厉', '今令', '雷雪需露', '买卖', '开井', '水永', '问间闻', '折拆', '处外', '学字', '名各', '早旱', '休体', '少小', '云去', '又叉', '古舌吉', '月用',
    '反友', '半平米来', '市布', '丸')
CLASSES = NUMERALS + ''.join(_GROUPS)
