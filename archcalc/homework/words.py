"""The words of answer sheets in the languages in which courses are held: English, German, French, Spanish, Italian,
Portuguese, Chinese, Japanese, Russian.

Data only. Case, accents and punctuation do not count, nor do the small words.
"""

from __future__ import annotations

# What a column is called, by what it asks for.
HEADINGS = {
    "layer": """
        layer, layers, name, layer name, layername, module, block, stage, node, operation name, step, level,
        Schicht, Schichten, Lage, Ebene, Schichtname, Layername, Name der Schicht, Bezeichnung, Stufe, couche,
        couches, nom, nom de la couche, étage, capa, capas, nombre de la capa, nombre capa, etapa, strato,
        strati, livello, nome, nome strato, nome dello strato, camada, camadas, nome da camada, 层, 层名,
        层名称, 网络层, 名称, 名字, 層, 層名, レイヤー, レイヤ, 層の名前, 名前, слой, слои, название,
        имя слоя, имя
    """,
    "number": """
        no, no., nr, nr., idx, index, id, number, nummer, numéro, número, numero, 序号, 编号, 番号, layer no,
        layer number, layer index, position, pos, номер
    """,
    "type": """
        type, layer type, kind, op, operator, layer kind, Typ, Art, Schichttyp, type de couche, tipo, tipo de capa,
        tipo di strato, tipo de camada, 类型, 层类型, 種類, 種別, タイプ, тип, тип слоя
    """,
    "size": """
        output, outputs, output size, output shape, output volume, output dimensions, output dimension,
        output dim, outputs shape, out, out shape, outsize, size, shape, dimensions, dimension, dims, dim,
        volume, volume size, activation shape, feature map, feature maps, feature map size, featuremap,
        map size, tensor shape, result size, output tensor, size of output, output volume size,
        shape of output, activation volume, data size, blob shape, Ausgabe, Ausgabegröße, Ausgabegroesse,
        Ausgangsgröße, Größe, Groesse, Ausgabeform, Form, Ausgang, Ausmaße, Ausgabevolumen, Dimensionen,
        Abmessungen, Größe der Ausgabe, Ausgabedimension, Ausgabedimensionen, Volumen, Merkmalskarte,
        Merkmalskarten, sortie, taille, taille de sortie, taille de la sortie, forme de sortie,
        dimensions de sortie, forme, dimension de sortie, volume de sortie, salida, tamaño, tamaño de salida,
        tamaño de la salida, forma de salida, dimensiones, volumen de salida, dimensión de salida,
        dimensiones de salida, forma, uscita, dimensione, dimensioni, dimensione di uscita,
        dimensioni di uscita, dimensione output, forma di uscita, dimensioni output, volume di uscita,
        dimensione in uscita, dimensioni in uscita, saída, tamanho, tamanho da saída, tamanho de saída,
        dimensões, forma da saída, dimensões da saída, dimensão da saída, volume de saída, 输出, 输出尺寸,
        输出大小, 输出形状, 尺寸, 大小, 形状, 输出维度, 特征图大小, 特征图尺寸, 輸出, 輸出大小, 輸出尺寸,
        输出特征图, 出力, 出力サイズ, 出力形状, サイズ, 出力の大きさ, 出力次元, 特徴マップ, 特徴マップサイズ,
        выход, размер, размер выхода, форма выхода, выходной размер, размерность, размеры, выходной объём,
        объем, размерность выхода
    """,
    "area": """
        spatial size, resolution, spatial resolution, spatial, area, map resolution, Auflösung, résolution,
        resolución, risoluzione, resolução, 分辨率, 空间尺寸, 解像度, разрешение, output resolution
    """,
    "height": """
        h, height, out h, h out, output height, rows, Höhe, Hoehe, hauteur, altura, alto, altezza, 高, 高度,
        高さ, высота, Ausgabehöhe, Zeilen, hauteur de sortie, altura de salida
    """,
    "width": """
        w, width, out w, w out, output width, cols, columns, Breite, largeur, ancho, anchura, larghezza,
        largura, 宽, 宽度, 寬, 寬度, 幅, 横幅, ширина, Ausgabebreite, Spalten
    """,
    "depth": """
        c, d, depth, channels, output channels, out channels, channels out, cout, c out, output depth,
        feature channels, Tiefe, Kanäle, Kanaele, Ausgabekanäle, Ausgabetiefe, profondeur, canaux,
        canaux de sortie, profundidad, canales, canales de salida, profondità, canali, canali di uscita,
        profundidade, canais, canais de saída, 通道, 通道数, 输出通道, 输出通道数, 深度, 深さ, チャンネル,
        チャンネル数, 出力チャンネル, チャネル数, каналы, глубина, каналов, выходные каналы, volume depth,
        maps, planes
    """,
    "memory": """
        memory, mem, memory usage, memory size, activation memory, memory footprint, storage, output memory,
        activations, activation, activation size, values, value count, elements, neurons, output values,
        activation count, output elements, activations size, bytes, memory bytes, memory cost,
        activation values, Speicher, Speicherbedarf, Speicherplatz, Speicherverbrauch, Werte, Aktivierungen,
        Neuronen, Aktivierungsspeicher, mémoire, occupation mémoire, valeurs, activations mémoire,
        taille mémoire, octets, memoria, valores, activaciones, uso de memoria, valori, attivazioni,
        occupazione di memoria, neuroni, memória, ativações, uso de memória, consumo de memória, 内存, 显存,
        存储, 内存占用, 激活, 激活值, 激活数, 記憶體, 内存消耗, 显存占用, メモリ, メモリー, メモリ使用量,
        活性, память, активации, объем памяти, значения, байты
    """,
    "params": """
        params, param, parameters, parameter, learnable parameters, trainable parameters, trainable params,
        prms, learnable params, nparams, parameter count, params count, parms, model parameters,
        learned parameters, weights and biases, weights + biases, weights & biases, parametres, paramater,
        paramaters, Parameteranzahl, Parameterzahl, lernbare Parameter, trainierbare Parameter,
        Gewichte und Biases, Gewichte und Bias, Gewichte und Biaswerte, weights and bias, poids et biais,
        poids + biais, pesos y sesgos, pesos + sesgos, pesi e bias, pesi + bias, pesos e vieses, pesos + vieses,
        权重和偏置, 权重+偏置, 重みとバイアス, веса и смещения, веса + смещения, Gewichte + Bias, paramètres,
        nombre de paramètres, nb paramètres, parámetros,
        número de parámetros, parámetros entrenables, parametri, numero di parametri, parâmetros,
        número de parâmetros, parametri addestrabili, 参数, 参数量, 参数数量, 参数个数, 參數, 參數量,
        可学习参数, 参数数, パラメータ, パラメータ数, パラメーター, パラメーター数, 学習パラメータ数,
        параметры, параметров, число параметров, количество параметров, обучаемые параметры
    """,
    "weights": """
        weights, weight, weight count, kernel weights, params without bias, parameters without biases,
        Gewichte, poids, pesos, pesi, 权重, 权重数, 重み, 重み数, веса, Gewicht
    """,
    "biases": """
        biases, bias, bias count, biais, sesgos, sesgo, viés, vieses, 偏置, バイアス, смещения, Biaswerte
    """,
    "buffers": """
        buffers, buffer, running statistics, Puffer, 缓冲, バッファ, буферы
    """,
    "macs": """
        macs, mac, madds, madd, mult adds, multadds, multiply adds, multiply add, multiply accumulates, macc,
        maccs, multiply accumulate, mults, multiplications, mac operations, mult add,
        multiply-accumulate operations, macops, Multiplikationen, Multiply-Adds, MAC-Operationen,
        multiplications-additions, multiplicaciones, moltiplicazioni, multiplicações, operaciones MAC,
        operazioni MAC, operações MAC, 乘加, 乘加次数, 乘加运算, 乘法次数, 积和, 積和, 積和演算, 積和演算数,
        умножения, операций умножения, mul adds, muladds, 乘加数
    """,
    "flops": """
        flops, flop, fops, operations, ops, compute, computation, computations, floating point operations,
        cost, computational cost, Operationen, Rechenoperationen, Rechenaufwand, Gleitkommaoperationen,
        opérations, calculs, operaciones, operazioni, operações, coste, costo, custo, 计算量, 浮点运算,
        浮点运算数, 运算量, 運算量, 浮点运算量, 演算量, 計算量, 演算数, 浮動小数点演算, 浮動小数点演算数,
        операции, вычисления, операций
    """,
    "receptive": """
        receptive field, receptive, rf, receptive field size, receptivefield, field, field of view, fov,
        rf size, rezeptives Feld, Rezeptivfeld, rezeptive Feldgröße, champ récepteur, champ réceptif,
        campo receptivo, campo recettivo, 感受野, 感受野大小, 受容野, 受容野サイズ, рецептивное поле,
        рецептивная область
    """,
    "quantity": """
        quantity, what, asked, property, measure, metric, Größenart, gesucht, Gesucht ist, quantité, cantidad,
        magnitud, grandezza, quantità, grandeza, quantidade, 量, 项目, 指标, 項目, величина, показатель,
        question part, Messgröße
    """,
    "answer": """
        answer, answers, value, result, your answer, solution, Antwort, Antworten, Wert, Ergebnis, Lösung,
        réponse, réponses, valeur, résultat, respuesta, valor, resultado, risposta, valore, risultato,
        resposta, 答案, 回答, 值, 结果, 解答, 答え, 値, 結果, ответ, значение, результат
    """,
    "question": """
        question, exercise, problem, task, item, Frage, Aufgabe, exercice, pregunta, ejercicio, domanda,
        esercizio, pergunta, exercício, 问题, 题目, 题号, 問題, 設問, вопрос, задача, q
    """,
    "copied": """
        kernel, kernel size, filter, filter size, filters, window, k, f, stride, strides, s, pad, padding, p,
        dilation, groups, number of filters, input, inputs, input size, input shape, input volume, from, in,
        cin, c in, in channels, input channels, activation function, nonlinearity, comment, comments, note,
        notes, remark, remarks, points, explanation, formula, calculation, share, share of macs, dropped,
        never seen, args, arguments, inplace, group, working, derivation, jump, start, unpadded, seen,
        of the image, configuration, config, parameters used, Kern, Kernel, Kerngröße, Filtergröße,
        Filteranzahl, Schrittweite, Schritt, Polsterung, Auffüllung, Rand, Eingabe, Eingabegröße, Eingang,
        Bemerkung, Bemerkungen, Kommentar, Rechnung, Rechenweg, Formel, Punkte, Fenster, noyau,
        taille du noyau, taille du filtre, filtre, filtres, pas, remplissage, entrée, taille d'entrée,
        commentaire, remarque, calcul, formule, núcleo, filtro, filtros, tamaño del filtro, paso, relleno,
        entrada, comentario, cálculo, fórmula, dimensione del filtro, passo, riempimento, ingresso, commento,
        calcolo, dimensione filtro, tamanho do filtro, passada, preenchimento, comentário, 卷积核, 卷积核大小,
        核大小, 滤波器, 步长, 步幅, 填充, 输入, 输入尺寸, 输入大小, 备注, 计算过程, 公式, カーネル,
        カーネルサイズ, フィルタ, フィルタサイズ, ストライド, パディング, 入力, 入力サイズ, 備考, 計算式,
        ядро, размер ядра, фильтр, фильтры, шаг, отступ, паддинг, вход, размер входа, комментарий, примечание,
        формула, batch, batch size, images, padding type, with inputs, Aktivierungsfunktion, activated by, bias used
    """,
}

# Columns of memory whose name says what they are counted in.
COUNTED_IN = {
    "values": """
        activations, activation, activation size, values, value count, elements, neurons, output values,
        activation count, output elements, activations size, activation values, Werte, Aktivierungen,
        Neuronen, valeurs, valores, activaciones, valori, attivazioni, neuroni, ativações, 激活, 激活值,
        激活数, активации, значения
    """,
    "bytes": "bytes, memory bytes, octets, байты",
}

# Words that say nothing in a heading.
SMALL = """
    of the no nr num number n count total amount per each your image images layer layers anzahl der die das zahl pro
    je nombre nb numero num de des du del della dei di do da dos e la le les el los las
    il lo i gli o os as d l cantidad число количество кол во
"""

# Rows that stand for the whole net.
TOTALS = """
    total, totals, sum, sums, overall, all, all layers, whole net, net, network, whole network, complete,
    altogether, Summe, gesamt, insgesamt, Gesamtsumme, Gesamtnetz, Netz, zusammen, somme, total général,
    ensemble, réseau, suma, suma total, en total, red, totale, totali, somma, rete, soma, rede, 合计, 总计,
    总和, 总, 全部, 總計, 合計, 総計, 計, итого, всего, сумма, общее, Σ, sum total, grand total
"""

# Rows that stand for the image.
INPUTS = """
    input, inputs, image, input image, data, input layer, Eingabe, Eingang, Eingabebild, Bild, Eingabeschicht,
    entrée, image d'entrée, couche d'entrée, entrada, imagen, imagem, capa de entrada, camada de entrada,
    ingresso, immagine, strato di ingresso, 输入, 输入层, 图像, 輸入, 输入图像, 入力, 入力層, 入力画像, 画像,
    вход, изображение, входной слой
"""

# Kinds of layers as they are spoken of, by their name in the language of nets.
LAYERS = {
    "conv": """
        convolution, convolutional, convolve, Faltung, Faltungsschicht, Konvolution, Konv, Faltungslayer,
        Konvolutionsschicht, convolutif, convolutionnelle, convolución, convolucional, convoluzione,
        convoluzionale, convolução, 卷积, 卷积层, 卷積, 畳み込み, 畳み込み層, コンボリューション, свёртка,
        свёрточный, свертка, сверточный, conv layer
    """,
    "pool": """
        pooling, subsampling, downsampling, max pooling, mp, Poolschicht, Poolingschicht, Unterabtastung,
        mise en commun, sous-échantillonnage, agrupación, agrupamiento, submuestreo, raggruppamento,
        sottocampionamento, agrupamento, subamostragem, 池化, 池化层, 最大池化, プーリング, プーリング層,
        最大プーリング, пулинг, подвыборка, субдискретизация
    """,
    "avgpool": """
        average pooling, mean pooling, Mittelwertpooling, 平均池化, 平均プーリング, pooling moyen,
        avg pooling
    """,
    "gap": "global average pooling, global pooling, global avg pool, 全局平均池化, グローバル平均プーリング",
    "fc": """
        fully connected, fully-connected, fullyconnected layer, dense layer, inner product, ip, full,
        voll verbunden, vollverbunden, vollständig verbunden, Vollverbindung, vollvernetzt,
        entièrement connectée, entièrement connecté, dense, totalmente conectada, completamente conectada,
        completamente connesso, totalmente connesso, 全连接, 全连接层, 全連接, 全結合, 全結合層, полносвязный,
        полносвязная, lineare Schicht
    """,
    "bn": """
        batch norm, batch normalization, batch normalisation, Batchnormalisierung, 批归一化, 批量归一化,
        バッチ正規化
    """,
    "lrn": """
        local response norm, local response normalization, norm, normalization, Normalisierung,
        局部响应归一化, rnorm
    """,
    "relu": "relu layer, rectifier, rectified linear unit",
    "dropout": "drop, drop out, ドロップアウト, 随机失活",
    "softmax": "soft max, prob, probabilities, ソフトマックス",
    "flatten": "flattening, reshape, 展平, 平坦化, view",
    "add": "addition, sum of branches, residual, eltwise, elementwise add, skip, 相加, 加算",
    "concat": "concatenation, Verkettung, concaténation, concatenación, 拼接, 連結, depthconcat, depth concat",
    "deconv": "transposed convolution, deconvolution, transponierte Faltung, 转置卷积, 反卷积, 転置畳み込み",
    "dwconv": "depthwise convolution, depthwise separable convolution, 深度卷积, depth-wise conv",
    "upsample": "upsampling layer, unpooling, 上采样",
}
